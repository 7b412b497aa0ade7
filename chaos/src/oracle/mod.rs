//! The judge: what was acknowledged to publishers against what receivers applied. No I/O and no async here.
//!
//! A publisher enters each [`Fact`] into the [`Ledger`] before it is sent and again when its fate is known; a receiver
//! writes what it applied, and what it was told, into a [`Log`]. Afterwards [`check`] holds one against the other and
//! gives a [`Verdict`]. A fact, not an event id, is what must not come twice: a publisher that tries again under a new
//! event id doubles a fact as surely as a gateway that delivers an event again.

mod check;
mod fact;
mod ledger;
mod log;
#[cfg(test)]
mod tests;
mod verdict;

pub(crate) use check::check;
pub(crate) use fact::{Fact, Seal};
pub(crate) use ledger::Ledger;
pub(crate) use log::{Log, Step};
pub(crate) use verdict::{Finding, Verdict};
