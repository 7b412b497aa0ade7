//! The faults, under the numbers that the project's list gives them. Each injects, holds, heals and returns; the
//! [`drill`](crate::drill) measures what follows. One that breaks a promise of its own (a session closed that should
//! have lived, a publish that did not fail as it should) returns an error.

mod clients;
mod cluster;
mod data;
mod gateways;
mod links;
mod publishing;
mod redis;
mod refusals;
mod sentinel;
mod table;

pub(crate) use table::{Fault, Ground, Resync, all, chosen, sharded};
