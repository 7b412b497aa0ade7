use std::{
    rc::Rc,
    task::{Context, Poll},
};

use shared::CloseCode;

use super::{Listener, Problem};
use crate::{
    auth::AuthError,
    session::{End, Feed, Item, Member, Sink},
    worker::Worker,
};

/// A session without a WebSocket, in its room for as long as this lives.
pub(super) struct Presence {
    worker: Rc<Worker>,
    member: Rc<Member>,
    slot: usize,
}

impl Presence {
    /// Registers the session and asks for it to be let in.
    pub(super) async fn enter(worker: &Rc<Worker>, sink: Sink, listener: Listener) -> Result<Self, Problem> {
        let Listener { mut identity, filter, cursor } = listener;
        let places = worker.places_for(&mut identity).await?;
        let member = Rc::new(Member::new(worker, sink, identity, filter, places));
        if worker.app.is_revoked(&member) {
            // While it was let in.
            return Err(AuthError::Revoked.into());
        }
        let slot = worker.registry.join(member.clone(), None, cursor);
        Ok(Self { worker: worker.clone(), member, slot })
    }

    /// What it is sent.
    pub(super) fn feed(&self) -> &Feed {
        match &self.member.sink {
            Sink::Stream(feed) | Sink::Poll(feed) => feed,
            Sink::Socket(_) => unreachable!("a presence is made for a response"),
        }
    }

    /// Why its client may see nothing more, if that is so.
    pub(super) fn withheld(&self) -> Option<AuthError> {
        match self.feed().end()?.code()? {
            CloseCode::Forbidden => Some(AuthError::Revoked),
            CloseCode::TokenExpired => Some(AuthError::Expired),
            _ => None,
        }
    }

    /// The next frame; `None` when the session has ended.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.feed().poll_next(cx)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // A poll's end says nothing.
        if let Sink::Stream(feed) = &self.member.sink {
            self.worker.app.metrics.closed(feed.end().and_then(End::code));
        }
        self.worker.registry.leave(self.slot);
    }
}
