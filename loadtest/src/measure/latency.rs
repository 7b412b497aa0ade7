//! `latency`: from the publisher to the socket when there is little to do.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::{
    common::Common,
    step::{Step, step},
    verdict::Outcome,
};
use crate::{results::Measured, system::Subject, target::TargetArgs};

/// Events before the first that counts.
const WARM_UP: u64 = 50;

/// Which gateway, and how much.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    target: TargetArgs,
    /// The gateway's process, for its CPU
    #[arg(long)]
    pid: Option<u32>,
    #[command(flatten)]
    load: Load,
}

/// How little.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Load {
    /// Sessions, spread evenly over the rooms
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) sessions: u32,
    /// Rooms, one per company; in one room every event goes to every session
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rooms: u32,
    /// Events per second
    #[arg(long, value_name = "N", default_value_t = 50.0)]
    pub(crate) rate: f64,
    /// How long
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
    /// Bytes of an event
    #[arg(long, value_name = "BYTES", default_value_t = 300)]
    pub(crate) size: usize,
    /// Fail above this median
    #[arg(long, value_name = "MS")]
    pub(crate) max_p50_ms: Option<f64>,
    /// Fail above this 99th percentile
    #[arg(long, value_name = "MS")]
    pub(crate) max_p99_ms: Option<f64>,
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    sessions: u32,
    rooms: u32,
    rate: f64,
    size: usize,
    /// The figures.
    pub(crate) step: Step,
    max_p50_ms: Option<f64>,
    max_p99_ms: Option<f64>,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let mut subject = args.common.subject(args.pid, Some(&args.target))?;
    args.common.output.conclude(Measured::Latency(measure(&mut subject, &args.load).await?))
}

/// Measures.
pub(crate) async fn measure(subject: &mut Subject, load: &Load) -> anyhow::Result<Report> {
    anyhow::ensure!(load.sessions.is_multiple_of(load.rooms), "--sessions is a multiple of --rooms");
    let room_size = u64::from(load.sessions / load.rooms);
    let rooms = subject.rooms(load.rooms)?;
    let mut pacer = subject.pacer(&rooms, load.size)?.punctual();
    let fleet = subject.sessions(load.sessions as usize, &rooms).await?;
    subject.beginning().await?;
    step(&fleet, &mut pacer, (WARM_UP, load.rate, room_size), &[]).await?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count far below 2^52")]
    let events = (load.rate * f64::from(load.seconds)).ceil() as u64;
    let step = step(&fleet, &mut pacer, (events, load.rate, room_size), &subject.pids).await?;
    Ok(Report {
        sessions: load.sessions,
        rooms: load.rooms,
        rate: load.rate,
        size: load.size,
        step,
        max_p50_ms: load.max_p50_ms,
        max_p99_ms: load.max_p99_ms,
    })
}

impl Report {
    /// Whether everybody got everything: times of what never came are not in the figures.
    pub(crate) fn is_whole(&self) -> bool {
        self.step.broken().is_empty()
    }

    /// Of two generators at the same time.
    pub(crate) fn and(&self, other: &Self) -> anyhow::Result<Self> {
        Ok(Self {
            sessions: self.sessions + other.sessions,
            rooms: self.rooms + other.rooms,
            rate: self.rate + other.rate,
            step: self.step.and(&other.step)?,
            ..self.clone()
        })
    }
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{} sessions in {} rooms, {} events of {} bytes a second",
                self.sessions, self.rooms, self.rate, self.size
            ),
            format!("  publisher to socket  {}", self.step.latency),
            format!("  {}", self.step.usage.line()),
        ];
        lines.extend(self.step.bottleneck.iter().map(|why| format!("  bottleneck: {why}")));
        lines
    }

    fn missed(&self) -> Vec<String> {
        let latency = &self.step.latency;
        let mut missed = self.step.broken();
        for (name, value, max) in [("p50", latency.p50_ms, self.max_p50_ms), ("p99", latency.p99_ms, self.max_p99_ms)] {
            if let Some(max) = max.filter(|&max| value > max) {
                missed.push(format!("{name} {value:.2} ms, at most {max} were allowed"));
            }
        }
        missed
    }
}
