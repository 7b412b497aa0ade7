//! `loadtest`: plays, watches and measures the realtime gateway.
//!
//! - [`simulate`] publishes the working day of French trades companies, told by [`story`], through a [`target`];
//! - [`watch`] follows one company in the terminal;
//! - [`measure`] holds the figures: memory per idle session, fan-out, one wide room. Its sessions are the lean
//!   ones of [`client`], and what they measure is a [`system`]: the gateway, or another server beside it;
//! - [`autoscale`] lets the manifests' way of scaling work on real processes.

mod autoscale;
mod backoff;
mod business;
mod cli;
mod client;
mod clock;
mod defaults;
mod measure;
mod results;
mod simulate;
mod story;
mod system;
mod target;
mod terminal;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            terminal::problem(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
