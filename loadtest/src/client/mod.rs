//! The lean client of the measuring commands: thousands of sessions, read by one or two threads.
//!
//! [`open`] brings sessions up on the async runtime (connect, upgrade, `welcome`), spread over loopback addresses.
//! From then on a [`reader`] thread owns them: one `epoll`, one shared buffer, no task and no buffer per session. It
//! cuts the bytes into [`frames`], finds id and send time by byte search ([`scan`]) and counts into its [`tally`].

mod fleet;
mod frames;
mod handshake;
mod open;
mod reader;
mod scan;
mod tally;

pub(crate) use fleet::{Fleet, Taken};
pub(crate) use handshake::request as handshake_request;
pub(crate) use open::Plan;
pub(crate) use scan::SENT_AT;
