//! One WebSocket session.
//!
//! [`upgrade`] checks the handshake and takes the raw socket out of the HTTP server, whose buffers are freed. From then
//! on a [`Session`] actor owns the connection's life: it reads the client's frames, obeys [`Disconnect`] and says good-bye
//! to the registry whatever way it ends. Deliveries do not pass through its mailbox: the registry writes them straight
//! into the [`Outbox`], which both hold.

mod actor;
mod handshake;
mod inbound;
mod member;
mod outbox;
mod upgrade;
pub(crate) mod wire;

pub use actor::{Disconnect, Session};
pub use member::{Member, Stage};
pub use outbox::{End, Outbox};
pub use upgrade::upgrade;
