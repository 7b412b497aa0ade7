//! The realtime gateway.
//!
//! The path of one event, hop by hop:
//!
//! 1. `Publisher::publish` runs one script in Redis: append to the company's log and announce, in one round trip.
//! 2. [`backplane`]: one connection per replica hears the announcements of the companies that have sessions here.
//! 3. [`room`]: does the event follow the one before? If not, catch up from the log.
//! 4. [`dispatcher`]: carries out what the room says; each worker concerned gets a reference count.
//! 5. [`registry`]: who, on this worker, by company and filter; events that wait together are joined.
//! 6. [`session::Outbox`]: written to the socket at once, or queued within bounds.
//!
//! A session comes through the [`door`], shows its token to [`session::upgrade`], takes its place under the [`quota`], asks
//! the dispatcher to be let in, and is then an actor of its own.

pub mod app;
pub mod application;
pub mod auth;
pub mod backplane;
#[cfg(any(test, feature = "benching"))]
pub mod benching;
pub mod carry;
mod clock;
pub mod config;
mod defaults;
pub mod delivery;
pub mod dispatcher;
pub mod door;
pub mod fleet;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod health;
pub mod http;
pub mod metrics;
pub mod quota;
pub mod registry;
pub mod room;
pub mod session;
pub mod shutdown;
pub mod telemetry;
pub mod token;
pub mod traces;
pub mod wire;
pub mod worker;

/// The Rust of these pages is compiled by `cargo test --doc`.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/publishing.md")]
    struct Publishing;
    #[doc = include_str!("../../docs/redis.md")]
    struct Redis;
    #[doc = include_str!("../../CONTRIBUTING.md")]
    struct Contributing;
}
