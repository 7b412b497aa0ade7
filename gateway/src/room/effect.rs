use std::sync::Arc;

use shared::{Cursor, DeliveryState};

use crate::{delivery::Delivery, dispatcher::SessionId};

/// What is to be done for a room.
#[derive(Debug)]
pub enum Effect {
    /// Read the log after this place; with `None` only its top.
    Read(Option<Cursor>),
    /// Let a session in.
    Admit(SessionId, Outcome),
    /// Deliver an event to every session that is in.
    Deliver(Arc<Delivery>),
    /// Deliver what every session that is in has missed.
    CatchUp(Vec<Arc<Delivery>>),
    /// Tell every session that is in that something may be missing.
    Resync {
        /// The place to go on from.
        position: Cursor,
        /// Why.
        reason: &'static str,
    },
    /// Tell every session that is in whether events arrive as they happen.
    Status(DeliveryState),
}

/// How a session is let in.
#[derive(Debug)]
pub enum Outcome {
    /// It brought no cursor and stands at the present.
    Fresh(Cursor),
    /// What followed its cursor.
    Recovered(Cursor, Vec<Arc<Delivery>>),
    /// What followed its cursor is not known in full; it stands at the present.
    Lost(Cursor, &'static str),
    /// Nobody can tell before the link is back. It stands where it says, is not let in yet, and will get one of the
    /// others later.
    Deferred(Option<Cursor>),
}
