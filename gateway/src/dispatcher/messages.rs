use std::{sync::Arc, time::Duration};

use shared::{CompanyId, Cursor, DeliveryState};
use tokio::sync::mpsc;

use crate::{delivery::Delivery, room::Outcome};

/// One worker thread of this replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkerId(pub usize);

/// A session, wherever it lives. The key is the worker's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// The worker that has it.
    pub worker: WorkerId,
    /// Its place there.
    pub slot: usize,
    /// Tells it from an earlier session in the same place.
    pub generation: u32,
}

/// What a worker asks for.
#[derive(Debug)]
pub enum FromWorker {
    /// A worker has started.
    Hello(WorkerId, mpsc::Sender<ToWorker>),
    /// A session wants into its company's room.
    Join {
        /// Who.
        session: SessionId,
        /// Which room.
        company: CompanyId,
        /// The last event that it has, if any.
        cursor: Option<Cursor>,
    },
    /// A session that was not let in is gone.
    Cancel(SessionId, CompanyId),
    /// The worker's last session of this company is gone.
    Leave(WorkerId, CompanyId),
    /// Sessions of every worker are to go elsewhere.
    Move(Moves),
}

/// Which sessions are to go elsewhere.
#[derive(Debug, Clone, Copy)]
pub enum Moves {
    /// All: the replica goes away. With no time left, at once.
    All {
        /// The time over which they are spread.
        within: Duration,
    },
    /// Some: others have more room.
    Some {
        /// Their share of all that are here to stay.
        share: f64,
        /// The time over which they are spread.
        within: Duration,
    },
}

/// What a worker is told, in the order in which it must be carried out.
#[derive(Debug)]
pub enum ToWorker {
    /// An event, for all its sessions of the company.
    Deliver(CompanyId, Arc<Delivery>),
    /// Events that all its sessions of the company have missed.
    CatchUp(CompanyId, Vec<Arc<Delivery>>),
    /// A session is let in.
    Admit(SessionId, Admission),
    /// Something may be missing.
    Resync(CompanyId, Cursor, &'static str),
    /// Whether the company's events arrive as they happen.
    Status(CompanyId, DeliveryState),
    /// Sessions are to go elsewhere.
    Move(Moves),
}

/// How a session is let in.
#[derive(Debug)]
pub struct Admission {
    /// Where it stands.
    pub outcome: Outcome,
    /// Events come late at present.
    pub degraded: bool,
}
