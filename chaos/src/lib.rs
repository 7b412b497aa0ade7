//! Proves under faults that the realtime gateway loses nothing, doubles nothing and mixes no companies up.
//!
//! A [`drill`] starts a [`world`] of real processes, lets [`sender`]s publish and [`receiver`]s listen, injects
//! [`faults`], and hands the ledger and the receivers' logs to the [`oracle`]. The [`commands`] are what drills there are.

mod cli;
mod commands;
mod defaults;
mod drill;
mod faults;
mod oracle;
mod receiver;
mod sender;
mod terminal;
mod token;
mod world;

pub use cli::Cli;
