//! The command line.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::{commands, receiver::Transport, terminal, world::Program};

/// Injects faults into real gateways, Redis servers and networks, and proves that nothing was lost or doubled
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Mixed faults in random order, for as long as asked
    Run(RunArgs),
    /// A selection in under three minutes, one line for each fault
    Short(ShortArgs),
    /// Breaks a receiver or a publisher on purpose: the oracle must find it
    Controls(CommonArgs),
    /// Kills Redis under load and starts it again: how long, and how many reads, until everybody has caught up
    Restart(LoadArgs),
    /// Kills a gateway under load: its sessions must be on the others within 5 s
    Failover(LoadArgs),
    /// Pauses Redis for 30 s: no session ends, publishers fail fast
    Pause(CommonArgs),
    /// A Redis Cluster under load: slots moved, a server added, a shard paused, a primary killed
    Cluster(ClusterArgs),
    /// What classic and sharded announcements cost each server of a cluster
    Bus(BusArgs),
    /// The move from one Redis to a cluster, under load
    Move(MoveArgs),
    /// The same sequence by WebSocket, SSE and polling at once
    Transports(CommonArgs),
    /// Replaces gateway after gateway under load, or lets one more join: lost, doubled, reconnects a second, latency
    Rolling(RollingArgs),
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct CommonArgs {
    /// Repeats a run [default: by chance]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The gateway [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) gateway_bin: Option<PathBuf>,
    /// How receivers listen, in turns
    #[arg(long, value_delimiter = ',', default_value = "ws,sse,poll")]
    pub(crate) transports: Vec<Transport>,
}

/// A run of mixed faults.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// How long
    #[arg(long, default_value_t = 10.0)]
    pub(crate) minutes: f64,
    /// Only these faults, by number
    #[arg(long, value_delimiter = ',')]
    pub(crate) faults: Vec<u8>,
    /// Receivers
    #[arg(long, default_value_t = 300)]
    pub(crate) sessions: usize,
    /// Companies that they are of
    #[arg(long, default_value_t = 20)]
    pub(crate) companies: usize,
    /// Events a second
    #[arg(long, default_value_t = 200)]
    pub(crate) rate: u32,
    /// Gateway processes
    #[arg(long, default_value_t = 3)]
    pub(crate) gateways: usize,
    /// Another build of the gateway, for the rolling restart
    #[arg(long, value_name = "FILE")]
    pub(crate) old_gateway_bin: Option<PathBuf>,
}

/// The short selection.
#[derive(Debug, Clone, Args)]
pub(crate) struct ShortArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Faults beside those that are always there
    #[arg(long, default_value_t = 4)]
    pub(crate) extra: usize,
}

/// A measurement under load.
#[derive(Debug, Clone, Args)]
pub(crate) struct LoadArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Receivers
    #[arg(long, default_value_t = 2_000)]
    pub(crate) sessions: usize,
    /// Companies that they are of
    #[arg(long, default_value_t = 400)]
    pub(crate) companies: usize,
    /// Events a second
    #[arg(long, default_value_t = 2_000)]
    pub(crate) rate: u32,
    /// Gateway processes
    #[arg(long, default_value_t = 2)]
    pub(crate) gateways: usize,
}

/// A rollout under load, over WebSockets.
#[derive(Debug, Clone, Args)]
pub(crate) struct RollingArgs {
    /// Repeats a run [default: by chance]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The gateway [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) gateway_bin: Option<PathBuf>,
    /// Receivers
    #[arg(long, default_value_t = 12_000)]
    pub(crate) sessions: usize,
    /// Companies that they are of
    #[arg(long, default_value_t = 400)]
    pub(crate) companies: usize,
    /// Events a second
    #[arg(long, default_value_t = 500)]
    pub(crate) rate: u32,
    /// Gateway processes
    #[arg(long, default_value_t = 3)]
    pub(crate) gateways: usize,
    /// Seconds over which a drain spreads its sessions
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) drain_secs: u32,
    /// Instead of a rollout: one more gateway joins, and the fleet has to become level within so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) join: Option<u64>,
    /// What the gateways are told about rebalancing
    #[arg(long, value_name = "PERCENT", default_value = "1")]
    pub(crate) rebalance: String,
}

/// A measurement of a cluster alone.
#[derive(Debug, Clone, Args)]
pub(crate) struct BusArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Companies
    #[arg(long, default_value_t = 300)]
    pub(crate) companies: usize,
    /// Listeners, as gateways, each to all companies
    #[arg(long, default_value_t = 3)]
    pub(crate) listeners: usize,
    /// Events a second
    #[arg(long, default_value_t = 1_000)]
    pub(crate) rate: u32,
    /// Seconds, for each of both
    #[arg(long, default_value_t = 20)]
    pub(crate) secs: u64,
}

/// A move to a cluster.
#[derive(Debug, Clone, Args)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    /// Leave the logs behind: each session is told once
    #[arg(long)]
    pub(crate) empty: bool,
}

/// Faults of a cluster.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClusterArgs {
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    /// Only the two that take least
    #[arg(long)]
    pub(crate) short: bool,
}

impl Cli {
    /// Does what was asked for; success when every promise was kept.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let outcome = runtime.context("no runtime").and_then(|runtime| {
            let _highest = rlimit::increase_nofile_limit(u64::MAX);
            runtime.block_on(async {
                match self.command {
                    Command::Run(args) => commands::run(args).await,
                    Command::Short(args) => commands::short(args).await,
                    Command::Controls(args) => commands::controls(args).await,
                    Command::Restart(args) => commands::restart(args).await,
                    Command::Failover(args) => commands::failover(args).await,
                    Command::Pause(args) => commands::pause(args).await,
                    Command::Cluster(args) => commands::cluster(args).await,
                    Command::Bus(args) => commands::bus(args).await,
                    Command::Move(args) => commands::relocate(args).await,
                    Command::Transports(args) => commands::transports(args).await,
                    Command::Rolling(args) => commands::rolling(args).await,
                }
            })
        });
        match outcome {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                terminal::problem(format!("{error:#}"));
                ExitCode::FAILURE
            }
        }
    }
}

impl CommonArgs {
    /// The seed, by chance if none was given.
    pub(crate) fn seed(&self) -> u64 {
        // Short enough to be typed again.
        self.seed.unwrap_or_else(|| rand::random_range(1..1_000_000))
    }

    /// The gateway's program.
    pub(crate) fn program(&self) -> anyhow::Result<Program> {
        let path = match &self.gateway_bin {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("gateway"),
        };
        let path = path.canonicalize().with_context(|| format!("{}: no gateway there", path.display()))?;
        Ok(Program { path, clock: None })
    }
}
