//! How sessions are let into a room.

use std::sync::Arc;

use shared::Cursor;

use super::{
    effect::{Effect, Outcome},
    reasons::{JOINED_DEGRADED, REBORN, REPLACED},
    run::Run,
    sync::{Room, Stage},
};
use crate::{delivery::Delivery, dispatcher::SessionId};

/// A session that waits to be let in.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) session: SessionId,
    pub(super) cursor: Option<Cursor>,
    /// It has been told [`Outcome::Deferred`].
    pub(super) deferred: bool,
    /// The read under way was asked for after it came, and from no later place than its cursor.
    pub(super) covered: bool,
}

/// Why what a session missed cannot be told from a read.
enum Missing {
    /// The log no longer proves it.
    Lost(&'static str),
    /// More has happened since the read than memory holds: it is in the log, and has to be read once more.
    Unread,
}

impl Room {
    /// A session wants in.
    pub fn join(&mut self, session: SessionId, cursor: Option<Cursor>, effects: &mut Vec<Effect>) {
        let cursor = cursor.map(|cursor| self.place_of(cursor));
        if let Some(outcome) = self.outcome_from_memory(cursor) {
            effects.push(Effect::Admit(session, outcome));
            return;
        }
        let deferred = self.stage == Stage::Down;
        if deferred {
            effects.push(Effect::Admit(session, Outcome::Deferred(cursor)));
        }
        self.waiting.push(Waiting { session, cursor, deferred, covered: false });
        if self.stage == Stage::Live {
            // The room itself is in no doubt and stays live; only this session waits for the log.
            self.read(effects);
        }
    }

    /// A client that saw an empty log has missed nothing before a log's first event, unless another log has come and gone
    /// since. The epoch says when it saw that.
    fn place_of(&self, cursor: Cursor) -> Cursor {
        let same_log = self.position.is_some_and(|position| position.epoch == cursor.epoch);
        if cursor.seq > 0 || cursor == Cursor::EMPTY || same_log {
            cursor
        } else if self.gone.is_some_and(|gone| cursor.epoch <= gone) {
            Cursor { seq: u64::MAX, ..cursor }
        } else {
            Cursor::EMPTY
        }
    }

    /// A session that was waiting is gone.
    pub fn cancel(&mut self, session: SessionId) {
        self.waiting.retain(|waiting| waiting.session != session);
    }

    /// Lets in whoever the read can answer. That somebody has lost something can be said only by a read that was asked
    /// for after they came: an earlier one may not hold yet what they have already.
    pub(super) fn answer(&mut self, run: &Run, effects: &mut Vec<Effect>) {
        let Some(position) = self.position else { return };
        let known = run.events.partition_point(|event| event.id <= position);
        self.recent.extend_back(&run.events[..known], self.budget);
        for waiting in std::mem::take(&mut self.waiting) {
            let outcome = match waiting.cursor {
                None if waiting.deferred => Outcome::Lost(position, JOINED_DEGRADED),
                None => Outcome::Fresh(position),
                Some(cursor) => match self.missed(cursor, position, run) {
                    Ok(events) => Outcome::Recovered(cursor, events),
                    Err(Missing::Lost(reason)) if waiting.covered => Outcome::Lost(position, reason),
                    Err(_) => {
                        self.waiting.push(waiting);
                        continue;
                    }
                },
            };
            effects.push(Effect::Admit(waiting.session, outcome));
        }
    }

    /// What happened after `cursor` up to `position`: out of the log, and out of memory for what came since.
    fn missed(&self, cursor: Cursor, position: Cursor, run: &Run) -> Result<Vec<Arc<Delivery>>, Missing> {
        if cursor > position {
            return Err(Missing::Lost(REBORN));
        }
        if self.is_suspect(cursor) {
            return Err(Missing::Lost(REPLACED));
        }
        if let Some(events) = self.recent.after(cursor) {
            return Ok(events);
        }
        let mut events = run.after(cursor, None).map_err(Missing::Lost)?.to_vec();
        let end = events.partition_point(|event| event.id <= position);
        events.truncate(end);
        let reached = events.last().map_or(cursor, |event| event.id);
        if reached != position {
            events.extend(self.recent.after(reached).ok_or(Missing::Unread)?);
        }
        Ok(events)
    }

    /// How a session can be let in without asking the log.
    fn outcome_from_memory(&self, cursor: Option<Cursor>) -> Option<Outcome> {
        let position = self.position.filter(|_| matches!(self.stage, Stage::Live | Stage::Down))?;
        let Some(cursor) = cursor else { return Some(Outcome::Fresh(position)) };
        if cursor == position {
            return Some(Outcome::Recovered(cursor, vec![]));
        }
        if self.stage == Stage::Down {
            // Nobody knows what Redis comes back with; memory may hold what a failover has lost.
            return None;
        }
        if self.is_suspect(cursor) {
            return Some(Outcome::Lost(position, REPLACED));
        }
        if let Some(events) = self.recent.after(cursor).filter(|_| cursor < position) {
            return Some(Outcome::Recovered(cursor, events));
        }
        // A later epoch may be one that this replica has not heard of yet; an earlier one is gone for good.
        (cursor != Cursor::EMPTY && cursor.epoch < position.epoch).then_some(Outcome::Lost(position, REBORN))
    }

    fn is_suspect(&self, cursor: Cursor) -> bool {
        self.suspect.is_some_and(|suspect| cursor.epoch == suspect.epoch && cursor < suspect)
    }
}
