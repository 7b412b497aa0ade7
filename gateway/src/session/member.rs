use std::cell::{Cell, RefCell};

use shared::{CompanyId, TypeFilter, UserId};

use super::{Outbox, Sink};
use crate::{auth::Identity, health::Place, worker::Worker};

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It waits for its `welcome`.
    Joining,
    /// It was welcomed while the backplane was unreachable, and is not in the room yet.
    Deferred,
    /// It receives its company's events.
    In,
    /// It receives nothing any more.
    Ended,
}

/// What the registry and the session's actor both know of a session. One thread, so no locks.
#[derive(Debug)]
pub struct Member {
    /// Where its frames go.
    pub sink: Sink,
    session: u64,
    /// Its room, from the token.
    pub company: CompanyId,
    /// Its user, from the token.
    pub user: UserId,
    /// What it may and wants to receive.
    pub filter: RefCell<TypeFilter>,
    /// How far it has come.
    pub stage: Cell<Stage>,
    /// It was let into the room once.
    pub entered: Cell<bool>,
    /// Its place among the room's sessions with the same filter.
    pub index: Cell<usize>,
    /// When the token expires, in unix seconds.
    pub expires_at: Cell<u64>,
    /// The worker's tick at which the client was last heard of.
    pub heard_at: Cell<u32>,
    /// The worker's tick at which the present stage of its life, joining or ending, began.
    pub since: Cell<u32>,
    /// The worker's tick by which it must have left, if it was asked to reconnect elsewhere.
    pub leave_by: Cell<Option<u32>>,
    /// Its place under the connection cap.
    pub place: Place,
}

impl Member {
    /// A session of this identity that waits to be let in.
    #[must_use]
    pub fn new(worker: &Worker, sink: Sink, identity: Identity, filter: TypeFilter, place: Place) -> Self {
        Self {
            sink,
            session: rand::random(),
            company: worker.registry.intern(identity.company),
            user: identity.user,
            filter: filter.into(),
            stage: Cell::new(Stage::Joining),
            entered: Cell::new(false),
            index: Cell::new(0),
            expires_at: Cell::new(identity.expires_at),
            heard_at: Cell::new(worker.tick()),
            since: Cell::new(worker.tick()),
            leave_by: Cell::new(None),
            place,
        }
    }

    /// Its own id, as the client is told and the log has it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:016x}", self.session)
    }

    /// How many ticks it may stay where sessions may stay `most`: the last quarter of that is for chance, so that those who
    /// came together do not leave together.
    #[must_use]
    pub fn lifespan(&self, most: u32) -> u32 {
        let chance = (self.session % 1_000) as f64 / 1_000.0;
        (f64::from(most) * (0.75 + 0.25 * chance)) as u32
    }

    /// Its WebSocket, if it has one.
    #[must_use]
    pub fn outbox(&self) -> Option<&Outbox> {
        match &self.sink {
            Sink::Socket(outbox) => Some(outbox),
            Sink::Stream(_) | Sink::Poll(_) => None,
        }
    }
}
