//! The one task of a session's actor: its mailbox, then its socket.
//!
//! actix's own context keeps room for futures that an actor may spawn, which was a fifth of a session's memory. A session
//! has one thing to do, so its context is no more than a state.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix::{
    Actor, ActorContext, ActorState, Addr, Handler, WeakAddr,
    dev::{
        Envelope, EnvelopeProxy, ToEnvelope,
        channel::{AddressReceiver, channel},
    },
};
use futures_util::Stream;
use tokio::sync::oneshot;
use tracing::debug;

use super::actor::{Disconnect, Session};
use crate::defaults::SESSION_MAILBOX;

/// How far a session's actor has come.
pub struct Life(ActorState);

impl ActorContext for Life {
    fn stop(&mut self) {
        self.0 = ActorState::Stopping;
    }

    fn terminate(&mut self) {
        self.0 = ActorState::Stopped;
    }

    fn state(&self) -> ActorState {
        self.0
    }
}

/// Starts the actor that `create` makes, which is told its own address.
pub(super) fn begin(create: impl FnOnce(WeakAddr<Session>) -> Session) -> Addr<Session> {
    let (sender, mailbox) = channel(SESSION_MAILBOX);
    let address = Addr::new(sender);
    let session = create(address.downgrade());
    actix_rt::spawn(Task { session, life: Life(ActorState::Started), mailbox });
    address
}

struct Task {
    session: Session,
    life: Life,
    mailbox: AddressReceiver<Session>,
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { session, life, mailbox } = self.get_mut();
        if life.0 == ActorState::Started {
            life.0 = ActorState::Running;
            session.started(life);
        }
        while let Poll::Ready(Some(mut envelope)) = Pin::new(&mut *mailbox).poll_next(cx) {
            envelope.handle(session, life);
        }
        if life.0 == ActorState::Running
            && let Err(error) = ready!(session.poll_socket(cx))
        {
            debug!(%error, "the socket failed");
        }
        // The rest is done when this is dropped.
        Poll::Ready(())
    }
}

/// The actor stops, whatever way its task ends.
impl Drop for Task {
    fn drop(&mut self) {
        self.life.terminate();
        self.session.stopped(&mut self.life);
    }
}

impl ToEnvelope<Session, Disconnect> for Life {
    fn pack(message: Disconnect, _: Option<oneshot::Sender<()>>) -> Envelope<Session> {
        Envelope::with_proxy(Box::new(message))
    }
}

/// Nobody waits for an answer.
impl EnvelopeProxy<Session> for Disconnect {
    fn handle(&mut self, session: &mut Session, life: &mut Life) {
        Handler::handle(session, Disconnect(self.0), life);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Member, Outbox};

    /// What an idle session keeps, besides 256 bytes of tokio's for its socket and 144 of actix's for its mailbox. With what
    /// tokio's task and an `Rc` add, the allocator gives 256 bytes for the first and for the second, which holds the third.
    #[test]
    fn a_session_keeps_few_bytes() {
        let kept = [size_of::<Task>(), size_of::<Member>(), size_of::<Outbox>()];
        // The last has 72 unless another crate of the same build turns on tokio's threads.
        let bounds = [96, 232, 80];
        assert!(kept.iter().zip(bounds).all(|(kept, bound)| *kept <= bound), "{kept:?}, not {bounds:?}");
    }
}
