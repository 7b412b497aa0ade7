//! The lean client of the measuring commands: thousands of sessions, read by one or two threads.
//!
//! [`open`] brings sessions up on the async runtime, spread over loopback addresses; what is said until a session is in is
//! decided by [`opening`], without I/O. What is spoken is the [`Dialect`](crate::system::Dialect) of the system.
//! From then on a [`reader`] thread owns them: one `epoll`, one shared buffer, no task and no buffer per session. It
//! cuts the bytes into [`frames`], finds id and send time by byte search ([`scan`]) and counts into its [`tally`].
//!
//! [`rush`] lets sessions come all at once, without the runtime.
//!
//! Those sessions end with their connection. A session of [`resuming`] does what a client of ours does: comes back and
//! goes on from its cursor. It is a task, and [`sightings`] counts
//! what all of them see.

mod coming;
mod fleet;
mod frames;
mod handshake;
mod open;
mod opening;
mod reader;
mod resuming;
mod rush;
mod scan;
mod sightings;
mod tally;

pub(crate) use fleet::{Fleet, Taken, allow_descriptors};
pub(crate) use open::Plan;
pub(crate) use opening::Refused;
pub(crate) use resuming::Session;
pub(crate) use rush::{Rush, Rushed};
pub(crate) use scan::{event_id, marks};
pub(crate) use sightings::Sightings;
