use std::cell::{Cell, RefCell};

use shared::{CompanyId, TypeFilter, UserId};

use super::Outbox;
use crate::health::Place;

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
    /// What it is sent.
    pub outbox: Outbox,
    /// Its own id, as the client is told.
    pub session: u64,
    /// Its room, from the token.
    pub company: CompanyId,
    /// Its user, from the token.
    pub user: UserId,
    /// What it may and wants to receive.
    pub filter: RefCell<TypeFilter>,
    /// How far it has come.
    pub stage: Cell<Stage>,
    /// Its place among the room's sessions with the same filter.
    pub index: Cell<usize>,
    /// When the token expires, in unix seconds.
    pub expires_at: Cell<u64>,
    /// The worker's tick at which the client was last heard of.
    pub heard_at: Cell<u32>,
    /// The worker's tick at which the present stage of its life, joining or ending, began.
    pub since: Cell<u32>,
    /// Its place under the connection cap.
    pub place: Place,
}
