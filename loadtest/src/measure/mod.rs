//! The measuring commands: [`idle`] (memory per session), [`fanout`] (deliveries per second), [`wide`] (one room),
//! [`bench`], which starts what it needs and runs all three, and [`siege`], which attacks.
//!
//! Shared by them: [`common`] (arguments), [`mint`] (tokens), [`pace`] (publishing at a rate, each event marked with
//! its intended send time), [`process`] (memory and CPU from `/proc`), [`metrics`] (the gateway's own counts) and
//! [`verdict`] (bounds, and the exit code).

pub(crate) mod bench;
pub(crate) mod children;
pub(crate) mod common;
pub(crate) mod fanout;
pub(crate) mod idle;
mod metrics;
pub(crate) mod mint;
pub(crate) mod pace;
pub(crate) mod process;
pub(crate) mod siege;
mod step;
pub(crate) mod verdict;
pub(crate) mod wide;
