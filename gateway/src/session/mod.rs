//! One listening client: a WebSocket, mostly.
//!
//! [`upgrade`] checks the handshake and takes the raw socket out of the HTTP server, whose buffers are freed. From then
//! on a [`Session`] actor owns the connection's life: it reads the client's frames, obeys [`Disconnect`] and says good-bye
//! to the registry whatever way it ends. Deliveries do not pass through its mailbox: the registry writes them straight
//! into the [`Outbox`], which both hold.
//!
//! Server-Sent Events and polls are members of the same registry; what they are sent goes through a [`Feed`] that their
//! HTTP response takes it from.

mod actor;
mod feed;
mod handshake;
mod inbound;
mod life;
mod member;
mod outbox;
mod sink;
mod upgrade;

pub use actor::{Disconnect, Session};
pub use feed::{Control, Feed, Item};
#[cfg(any(test, feature = "benching"))]
pub(crate) use inbound::count_messages;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use inbound::fuzz_frames;
pub use member::{Member, Places, Stage};
pub use outbox::{End, Outbox};
pub use sink::Sink;
pub use upgrade::upgrade;
