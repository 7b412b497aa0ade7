//! A drill: a world, publishers and receivers in it, one fault after the other, and the judgement.
//!
//! [`Drill::start`] brings everything up and waits until every receiver is welcomed. [`Drill::suffer`] injects one fault
//! and measures until every receiver has caught up with a marker published after the heal. [`Drill::finish`] comes to
//! rest and asks the [`oracle`](crate::oracle).

mod outcome;
mod report;
mod setup;
mod suffer;

pub(crate) use outcome::{Outcome, percentile};
pub(crate) use report::{Report, table};
pub(crate) use setup::{Drill, Options};
