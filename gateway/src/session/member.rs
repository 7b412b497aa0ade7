use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use shared::{CompanyId, TokenId, TypeFilter, UserId};

use super::{Outbox, Sink};
use crate::{
    auth::Identity,
    door::{Counted, Door},
    health::Place,
    quota::Lease,
    worker::Worker,
};

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

/// What a session takes up; given back when dropped, whatever way it ends.
#[derive(Debug)]
pub struct Places {
    replica: Place,
    lease: Option<Lease>,
    _socket: Option<Counted>,
}

impl Places {
    /// A place under the replica's cap, and one under its company's and its user's.
    #[must_use]
    pub fn new(replica: Place, lease: Option<Lease>) -> Self {
        Self { replica, lease, _socket: None }
    }

    /// Keeps the socket counted, which leaves the HTTP server.
    #[must_use]
    pub fn with_socket(mut self, door: &Arc<Door>) -> Self {
        self._socket = Some(door.keep());
        self
    }

    /// The session is asked to reconnect elsewhere; false when it has been already.
    pub fn ask_to_move(&self) -> bool {
        self.replica.ask_to_move()
    }

    /// Whether it was asked to reconnect elsewhere.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.replica.is_moving()
    }

    /// It was found afterwards that the session is one too many.
    #[must_use]
    pub fn is_excess(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::is_excess)
    }
}

/// What the registry and the session's actor both know of a session. One thread, so no locks.
pub struct Member {
    /// Where its frames go.
    pub sink: Sink,
    session: u64,
    /// Its room, from the token.
    pub company: CompanyId,
    /// Its user, from the token.
    pub user: UserId,
    /// What it may and wants to receive; in the room, shared with all who may and want the same.
    pub filter: RefCell<Rc<TypeFilter>>,
    /// How far it has come.
    pub stage: Cell<Stage>,
    /// It was let into the room once.
    pub entered: Cell<bool>,
    /// Its place among the room's sessions with the same filter.
    pub index: Cell<u32>,
    /// When the token expires, in unix seconds.
    pub expires_at: Cell<u64>,
    /// When the token was issued, in unix seconds. One that does not say so counts as old as time.
    pub issued_at: Cell<u64>,
    /// The token's own id, if it has one.
    pub token_id: Cell<Option<TokenId>>,
    /// A token that it sent waits for the key that it is signed with.
    pub renewing: Cell<bool>,
    /// The worker's tick at which the client was last heard of.
    pub heard_at: Cell<u32>,
    /// The worker's tick at which the present stage of its life, joining or ending, began.
    pub since: Cell<u32>,
    /// The worker's tick by which it must have left: never, unless it was asked to reconnect elsewhere.
    pub leave_by: Cell<u32>,
    /// Its places under the caps.
    pub places: Places,
}

impl Member {
    /// A session of this identity that waits to be let in.
    #[must_use]
    pub fn new(worker: &Worker, sink: Sink, identity: Identity, filter: TypeFilter, places: Places) -> Self {
        Self {
            sink,
            session: rand::random(),
            company: identity.company,
            user: identity.user,
            filter: Rc::new(filter).into(),
            stage: Cell::new(Stage::Joining),
            entered: Cell::new(false),
            index: Cell::new(0),
            expires_at: Cell::new(identity.expires_at),
            issued_at: Cell::new(identity.issued_at.unwrap_or(0)),
            token_id: identity.token_id.into(),
            renewing: Cell::new(false),
            heard_at: Cell::new(worker.tick()),
            since: Cell::new(worker.tick()),
            leave_by: Cell::new(u32::MAX),
            places,
        }
    }

    /// Takes the place of its token by a newer one of the same user.
    pub fn renew(&self, expires_at: u64, issued_at: Option<u64>, token_id: Option<TokenId>) {
        self.expires_at.set(expires_at);
        self.issued_at.set(issued_at.unwrap_or(0));
        self.token_id.set(token_id);
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
