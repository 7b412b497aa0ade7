//! Receivers: headless clients that do what a real one does and write down what they apply.
//!
//! A [`Session`] holds what does not depend on the transport: cursor, gate, log. [`ws`], [`sse`] and [`poll`] feed it;
//! [`Receiver`] connects again, with backoff, for as long as it is not told to stay [`Away`](Order::Away).

mod meter;
mod poll;
mod progress;
mod session;
mod sse;
mod task;
mod ws;

pub(crate) use meter::{Meter, Phase};
pub(crate) use progress::Progress;
pub(crate) use session::{Habits, Reaction, Session};
pub(crate) use task::{Order, Plan, Receiver, Transport};
