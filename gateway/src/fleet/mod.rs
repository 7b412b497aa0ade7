//! The replicas that share a Redis, and what one does that holds clearly more than the others.
//!
//! Old replicas keep their sockets when a new one joins, and a load balancer moves none. So each replica leaves a
//! [`Report`] with the others every two seconds, [`Sightings`] tells from theirs who is alive and takes connections, and
//! [`Balance`] decides, without I/O, how many sessions to ask to reconnect. [`run`] carries that out.

mod balance;
mod report;
mod sightings;
mod task;

pub use balance::{Balance, Door, Load};
pub use report::Report;
pub use sightings::{Picture, Sightings};
pub use task::run;
