//! Sessions that are to go elsewhere: because the replica goes away, because others have more room, or because they have
//! been here for long. Each gets a moment of its own, so that they do not arrive elsewhere together.

use std::{rc::Rc, time::Duration};

use rand::seq::{IteratorRandom, SliceRandom};
use shared::{CloseCode, ServerFrame};
use tokio::task::yield_now;

use crate::{
    defaults::{BATCH, MOVE_GRACE},
    session::{Member, Sink, Stage},
    wire::Frame,
    worker::Worker,
};

/// Why a session is to go elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The replica goes away.
    Drain,
    /// Other replicas have more room.
    Rebalance,
    /// It has been here for long.
    Age,
}

impl Why {
    /// Every reason, for tables.
    pub const ALL: [Self; 3] = [Self::Drain, Self::Rebalance, Self::Age];

    /// The word for it, in metrics and on the wire.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Rebalance => "rebalance",
            Self::Age => "age",
        }
    }
}

impl Worker {
    /// Asks a session to reconnect after so long; `grace` after that it is closed. An event stream and a poll are ended
    /// when their moment has come: they have no way to open the next before this one is over.
    pub(super) fn ask_to_move(&self, member: &Member, after: Duration, grace: Duration, why: Why) {
        if member.stage.get() == Stage::Ended || !member.places.ask_to_move() {
            return;
        }
        self.app.metrics.moves.asked(why);
        let gone_after = match &member.sink {
            Sink::Socket(outbox) => {
                // Nothing goes before the welcome; who has none yet is closed in its time.
                if matches!(member.stage.get(), Stage::In | Stage::Deferred) {
                    let after_ms = after.as_millis() as u64;
                    let frame = ServerFrame::Reconnect { after_ms, reason: why.label().into() };
                    outbox.send(Frame::of(&frame).bytes());
                }
                after + grace
            }
            Sink::Stream(_) | Sink::Poll(_) => after,
        };
        member.leave_by.set(self.tick() + gone_after.as_secs_f64().ceil() as u32);
    }

    /// Every session goes elsewhere, evenly over the time that there is; in its last part those are closed who are late.
    pub(super) async fn drain(&self, within: Duration) {
        if within.is_zero() {
            for (_, registered) in &*self.registry.sessions.borrow() {
                self.registry.disconnect(registered, CloseCode::Restart, self.tick());
            }
            return;
        }
        let mut members: Vec<Rc<Member>> =
            self.registry.sessions.borrow().iter().map(|(_, registered)| registered.member.clone()).collect();
        // A company's sessions are often neighbours; they need not leave together.
        members.shuffle(&mut rand::rng());
        let grace = late(within);
        let step = (within - grace).div_f64(members.len().max(1) as f64);
        // Other workers and replicas count in the same steps.
        let offset: f64 = rand::random();
        for (index, member) in members.iter().enumerate() {
            let moment = step.mul_f64(index as f64 + offset);
            // A poll would be over soon anyway; the next one reaches another replica.
            let moment = if matches!(member.sink, Sink::Poll(_)) { moment / 10 } else { moment };
            self.ask_to_move(member, moment, grace, Why::Drain);
            if index % BATCH == BATCH - 1 {
                yield_now().await;
            }
        }
    }

    /// A share of the sessions goes elsewhere. Who cannot be counted in whole sessions is left to chance.
    pub(super) fn shed(&self, share: f64, within: Duration) {
        let sessions = self.registry.sessions.borrow();
        let settled = |member: &&Rc<Member>| {
            member.stage.get() == Stage::In && !member.places.is_moving() && !matches!(member.sink, Sink::Poll(_))
        };
        let candidates: Vec<&Rc<Member>> =
            sessions.iter().map(|(_, registered)| &registered.member).filter(settled).collect();
        let wanted = (share * candidates.len() as f64 + rand::random::<f64>()) as usize;
        for member in candidates.into_iter().sample(&mut rand::rng(), wanted) {
            self.ask_to_move(member, within.mul_f64(rand::random()), MOVE_GRACE, Why::Rebalance);
        }
    }
}

/// The last part of a drain, for those who are late: a tenth, but not less than a second where there is one.
fn late(within: Duration) -> Duration {
    (within / 10).max(Duration::from_secs(1)).min(within / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_of_a_drain_is_for_those_who_are_late() {
        for (within, expected) in [(30_000, 3_000), (3_000, 1_000), (1_000, 500), (60_000, 6_000)] {
            assert_eq!(late(Duration::from_millis(within)), Duration::from_millis(expected));
        }
    }
}
