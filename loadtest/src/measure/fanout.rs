//! `fanout`: many rooms, paced; how many deliveries a second are held, how fast, at what cost.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::{
    common::Common,
    step::{Step, step},
    verdict::Outcome,
};
use crate::{results::Measured, system::Subject, target::TargetArgs, terminal};

/// Seconds before the first figure, at its rate: caches, allocators and branch predictors are warm then.
const WARM_UP: f64 = 1.0;
/// Each step of the ramp offers so much more than the one before.
const RAMP: f64 = 1.25;
/// Where the ramp ends in any case.
const RAMP_STEPS: usize = 20;

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

/// Rooms, rate and bounds.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Load {
    /// Sessions, spread evenly over the rooms
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=900_000))]
    pub(crate) sessions: u32,
    /// Rooms, one per company
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rooms: u32,
    /// Deliveries per second in total; with --ramp those of the first step
    #[arg(long, alias = "rate-start", value_name = "N", default_value_t = 300_000)]
    pub(crate) deliveries: u32,
    /// Seconds per rate
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
    /// Bytes of an event's frame
    #[arg(long, value_name = "BYTES", default_value_t = 300)]
    pub(crate) size: usize,
    /// Step up by a quarter until the p99 bound or the promise breaks
    #[arg(long)]
    pub(crate) ramp: bool,
    /// Fail (and end the ramp) above this 99th percentile of latency
    #[arg(long, value_name = "MS", default_value_t = 250.0)]
    pub(crate) max_p99_ms: f64,
    /// Fail when fewer deliveries per second are held
    #[arg(long, value_name = "N")]
    pub(crate) min_deliveries: Option<u32>,
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    sessions: u32,
    rooms: u32,
    size: usize,
    seconds: u32,
    ramp: bool,
    max_p99_ms: f64,
    min_deliveries: Option<u32>,
    /// The highest rate that was held within the bounds.
    pub(crate) held: f64,
    /// Every rate that was tried.
    pub(crate) steps: Vec<Step>,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let mut subject = args.common.subject(args.pid, Some(&args.target))?;
    args.common.output.conclude(Measured::Fanout(measure(&mut subject, &args.load).await?))
}

/// Measures.
pub(crate) async fn measure(subject: &mut Subject, args: &Load) -> anyhow::Result<Report> {
    anyhow::ensure!(
        args.sessions.is_multiple_of(args.rooms),
        "--sessions is a multiple of --rooms, so that rooms are equal"
    );
    let room_size = u64::from(args.sessions / args.rooms);
    let rooms = subject.rooms(args.rooms)?;
    let mut pacer = subject.pacer(&rooms, args.size)?;
    let fleet = subject.sessions(args.sessions as usize, &rooms).await?;
    let mut report = Report {
        sessions: args.sessions,
        rooms: args.rooms,
        size: args.size,
        seconds: args.seconds,
        ramp: args.ramp,
        max_p99_ms: args.max_p99_ms,
        min_deliveries: args.min_deliveries,
        held: 0.0,
        steps: Vec::new(),
    };
    subject.beginning().await?;
    let mut offered = f64::from(args.deliveries.max(1));
    for number in 0..if args.ramp { RAMP_STEPS } else { 1 } {
        let rate = offered / room_size as f64;
        if number == 0 {
            step(&fleet, &mut pacer, (whole(rate * WARM_UP), rate, room_size), &[]).await?;
        }
        let events = whole(rate * f64::from(args.seconds));
        let step = step(&fleet, &mut pacer, (events, rate, room_size), &subject.pids).await?;
        if args.ramp {
            terminal::note(row(&step));
        }
        let holds = step.holds(args.max_p99_ms);
        if holds {
            report.held = step.offered;
        }
        report.steps.push(step);
        if !holds {
            break;
        }
        offered *= RAMP;
    }
    Ok(report)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count far below 2^52")]
fn whole(count: f64) -> u64 {
    count.ceil() as u64
}

fn row(step: &Step) -> String {
    let Step { offered, arrived, latency, lost, doubles, .. } = step;
    format!("  {offered:>9.0}/s offered, {arrived:>9.0}/s arrived, {latency}, {lost} lost, {doubles} doubles")
}

impl Report {
    /// Takes in another try at another rate.
    pub(crate) fn also(&mut self, other: Self) {
        self.held = self.held.max(other.held);
        self.steps.extend(other.steps);
    }

    /// What was in the way of a higher rate: at the lowest that was not held, or at the highest that was.
    pub(crate) fn bottleneck(&self) -> Option<String> {
        let by_rate = |one: &&Step, other: &&Step| one.offered.total_cmp(&other.offered);
        let broke = self.steps.iter().filter(|step| step.offered > self.held).min_by(by_rate);
        let held = self.steps.iter().filter(|step| step.offered <= self.held).max_by(by_rate);
        broke.into_iter().chain(held).find_map(|step| step.bottleneck.clone())
    }

    /// Of two generators that stepped together.
    pub(crate) fn and(&self, other: &Self) -> anyhow::Result<Self> {
        let same = self.steps.len() == other.steps.len() && self.size == other.size;
        anyhow::ensure!(same, "the generators did not take the same steps");
        let steps =
            self.steps.iter().zip(&other.steps).map(|(one, other)| one.and(other)).collect::<Result<Vec<_>, _>>()?;
        let held = steps.iter().filter(|step| step.holds(self.max_p99_ms)).map(|step| step.offered).fold(0.0, f64::max);
        let (sessions, rooms) = (self.sessions + other.sessions, self.rooms + other.rooms);
        Ok(Self { sessions, rooms, held, steps, ..self.clone() })
    }
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} sessions in {} rooms, events of {} bytes, {} s per rate, p99 of at most {} ms",
            self.sessions, self.rooms, self.size, self.seconds, self.max_p99_ms
        )];
        for step in &self.steps {
            lines.push(row(step));
            let cpu = step.cpu_us.zip(step.cpu_user_us);
            let cpu = cpu.map(|(cpu, user)| format!("; {cpu:.2} µs per delivery, {user:.2} of it its own code"));
            lines.push(format!("    {}{}", step.usage.line(), cpu.unwrap_or_default()));
            if let Some(bottleneck) = &step.bottleneck {
                lines.push(format!("    bottleneck: {bottleneck}"));
            }
        }
        lines.push(format!("  held: {:.0} deliveries per second", self.held));
        lines
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if let Some(min) = self.min_deliveries.filter(|&min| self.held < f64::from(min)) {
            missed.push(format!("{:.0} deliveries per second held, at least {min} were asked for", self.held));
        }
        // A ramp ends by breaking; a single rate must not.
        if let (false, Some(step)) = (self.ramp, self.steps.first()) {
            missed.extend(step.broken());
            if step.latency.p99_ms > self.max_p99_ms {
                missed.push(format!("p99 {:.1} ms, at most {} were allowed", step.latency.p99_ms, self.max_p99_ms));
            }
        }
        missed
    }
}
