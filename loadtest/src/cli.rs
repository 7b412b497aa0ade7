//! The command line: one variant per command, each command's arguments beside its code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{autoscale, measure, results, simulate, watch};

/// Plays, watches and measures the realtime gateway.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play the working day of French trades companies: quotes, jobs, invoices, messages
    Simulate(simulate::Args),
    /// Follow one company in the terminal, reconnecting and resuming
    Watch(watch::Args),
    /// Measure the gateway's memory per idle session
    Idle(measure::idle::Args),
    /// Measure deliveries per second and their latency over many rooms
    Fanout(measure::fanout::Args),
    /// Measure one room with very many sessions: order, completeness, one encode per event
    Wide(measure::wide::Args),
    /// Measure the latency from publisher to socket under light load
    Latency(measure::latency::Args),
    /// Measure how many sessions with a token are let in a second
    Storm(measure::storm::Args),
    /// Start a Redis and a gateway, kill it, and let everybody come back at once
    Resume(measure::resume::Args),
    /// Start a Redis and a gateway, let sessions come and go for an hour, and see whether memory stays flat
    Soak(measure::soak::Args),
    /// Measure the gateway beside other servers, in turns
    Bench(measure::bench::Args),
    /// Add files of results up, and write them for people
    Report(results::report::Args),
    /// Let the manifests' autoscaling work on real processes, through a peak and a rolling restart
    Autoscale(autoscale::Args),
    /// Start a Redis and a gateway, attack them, and see what those who are in notice of it
    Siege(measure::siege::Args),
}

impl Cli {
    /// Runs the command on a runtime of one thread; the sessions of the measuring commands have threads of their own.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.command {
                Command::Simulate(args) => simulate::run(args).await,
                Command::Watch(args) => watch::run(args).await,
                Command::Idle(args) => measure::idle::command(args).await,
                Command::Fanout(args) => measure::fanout::command(args).await,
                Command::Wide(args) => measure::wide::command(args).await,
                Command::Latency(args) => measure::latency::command(args).await,
                Command::Soak(args) => measure::soak::command(args).await,
                Command::Resume(args) => measure::resume::command(args).await,
                Command::Storm(args) => measure::storm::command(args).await,
                Command::Report(args) => results::report::command(&args),
                Command::Bench(args) => measure::bench::command(args).await,
                Command::Autoscale(args) => autoscale::command(args).await,
                Command::Siege(args) => measure::siege::command(args).await,
            }
        })
    }
}
