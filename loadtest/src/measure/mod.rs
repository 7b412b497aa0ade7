//! The measuring commands: [`idle`] (memory per session), [`fanout`] (deliveries per second), [`wide`] (one room), [`storm`]
//! (connects), [`latency`] (light load), [`resume`] (after an outage), [`soak`] (an hour), [`bench`], which makes them of all
//! systems in turns, and [`siege`], which attacks.
//!
//! Shared by them: [`common`] (arguments), [`output`] (where results go), [`mint`] (tokens), [`pace`] (publishing at a rate,
//! each event marked with its intended send time), [`step`] (one stretch of it), [`process`] and [`usage`] (memory and CPU
//! from `/proc`), [`percentiles`], [`metrics`] (the gateway's own counts) and [`verdict`] (bounds, and the exit code).

pub(crate) mod bench;
pub(crate) mod children;
pub(crate) mod common;
pub(crate) mod events;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod latency;
mod metrics;
pub(crate) mod mint;
pub(crate) mod output;
pub(crate) mod pace;
mod percentiles;
pub(crate) mod process;
pub(crate) mod resume;
pub(crate) mod siege;
pub(crate) mod soak;
mod step;
pub(crate) mod storm;
mod usage;
pub(crate) mod verdict;
pub(crate) mod wide;
