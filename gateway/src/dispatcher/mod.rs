//! From the backplane to every worker that has the company.
//!
//! One task owns all rooms, so nothing is locked: it takes the backplane's signals and the workers' requests one by one,
//! asks the [`Room`](crate::room::Room) what follows, and carries it out. A delivery reaches a worker as a reference
//! count; its queue is bounded, and when it is full the dispatcher waits.

mod messages;
mod reads;
mod sweep;
mod task;

pub use messages::{Admission, FromWorker, Moves, SessionId, ToWorker, WorkerId};
pub use task::{Dispatcher, DispatcherHandle};
