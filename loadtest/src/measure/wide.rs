//! `wide`: one room with very many sessions. Everybody gets everything, in order, and each event is encoded once.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::{common::Common, metrics::Counts, step::arrived, usage::Usage, verdict::Outcome};
use crate::{client::Taken, results::Measured, system::Subject, target::TargetArgs};

/// Which gateway, and how wide.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    target: TargetArgs,
    /// The gateway's process, for its CPU
    #[arg(long)]
    pid: Option<u32>,
    /// Do not ask the gateway how often it encoded (another program, or other sessions on it)
    #[arg(long)]
    no_metrics: bool,
    #[command(flatten)]
    load: Load,
}

/// How wide.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Load {
    /// Sessions in the room
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=900_000))]
    pub(crate) sessions: u32,
    /// Events to publish
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) events: u32,
    /// Events per second
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    pub(crate) rate: f64,
    /// Bytes of an event's frame
    #[arg(long, value_name = "BYTES", default_value_t = 300)]
    pub(crate) size: usize,
    /// Fail when the last session has an event later than this after its publish (median over the events)
    #[arg(long, value_name = "MS")]
    pub(crate) max_ms: Option<f64>,
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    sessions: u32,
    pub(crate) events: u32,
    /// Events that reached every session.
    complete: u32,
    delivered: u64,
    doubles: u64,
    missing: u64,
    ended: u64,
    first_end: Option<String>,
    /// From intended send to the last session, median over the events, in milliseconds.
    pub(crate) last_session_median_ms: f64,
    last_session_max_ms: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Events that the gateway says it encoded.
    pub(crate) encoded: Option<u64>,
    counted_deliveries: Option<u64>,
    cpu_us: Option<f64>,
    pub(crate) cpu_user_us: Option<f64>,
    usage: Option<Usage>,
    /// See [`Usage::bottleneck`].
    pub(crate) bottleneck: Option<String>,
    max_ms: Option<f64>,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let mut subject = args.common.subject(args.pid, Some(&args.target))?;
    subject.admin = subject.admin.filter(|_| !args.no_metrics);
    args.common.output.conclude(Measured::Wide(measure(&mut subject, &args.load).await?))
}

/// Measures.
pub(crate) async fn measure(subject: &mut Subject, args: &Load) -> anyhow::Result<Report> {
    let rooms = subject.rooms(1)?;
    let mut pacer = subject.pacer(&rooms, args.size)?;
    let fleet = subject.sessions(args.sessions as usize, &rooms).await?;
    subject.beginning().await?;
    fleet.take(args.events as usize)?;
    let before = counts(subject).await?;
    let clocks = subject.clocks()?;
    let goal = fleet.delivered() + u64::from(args.events) * u64::from(args.sessions);
    pacer.run(u64::from(args.events), args.rate).await?;
    arrived(&fleet, goal).await;
    let usage = clocks.until(&subject.clocks()?);
    let counts = counts(subject).await?.zip(before).map(|(after, before)| after.since(before));
    let Taken { tally, least_waited_us } = fleet.take(0)?;
    let (cpu_us, cpu_user_us) = usage.each(tally.delivered);
    let mut last: Vec<u64> = tally.arrivals.iter().map(|arrival| arrival.last_us).collect();
    last.sort_unstable();
    let complete = tally.arrivals.iter().filter(|arrival| arrival.sessions == args.sessions).count();
    let ms = |us: u64| us as f64 / 1_000.0;
    Ok(Report {
        sessions: args.sessions,
        events: args.events,
        complete: u32::try_from(complete)?,
        delivered: tally.delivered,
        doubles: tally.doubles,
        missing: tally.missing,
        ended: tally.ended,
        first_end: tally.first_end,
        last_session_median_ms: ms(last[last.len() / 2]),
        last_session_max_ms: ms(last[last.len() - 1]),
        p50_ms: ms(tally.latency.value_at_quantile(0.5)),
        p99_ms: ms(tally.latency.value_at_quantile(0.99)),
        encoded: counts.map(|counts| counts.encoded),
        counted_deliveries: counts.map(|counts| counts.deliveries),
        cpu_us,
        cpu_user_us,
        usage: Some(usage),
        bottleneck: usage.bottleneck(least_waited_us as f64 / 1e6 / usage.seconds),
        max_ms: args.max_ms,
    })
}

async fn counts(subject: &Subject) -> anyhow::Result<Option<Counts>> {
    match &subject.admin {
        Some(url) => Counts::scrape(url).await.map(Some),
        None => Ok(None),
    }
}

impl Report {
    /// Whether everybody got everything: times of what never came are not in the figures.
    pub(crate) fn is_whole(&self) -> bool {
        self.complete == self.events
    }
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("one room of {} sessions, {} events", self.sessions, self.events),
            format!("  complete, in order   {:>9} events, {} deliveries", self.complete, self.delivered),
            format!(
                "  last session has it  {:>9.2} ms (median), {:.2} ms (worst)",
                self.last_session_median_ms, self.last_session_max_ms
            ),
            format!("  any session has it   {:>9.2} ms (p50), {:.2} ms (p99)", self.p50_ms, self.p99_ms),
        ];
        if let (Some(encoded), Some(deliveries)) = (self.encoded, self.counted_deliveries) {
            lines.push(format!("  gateway's count      {encoded:>9} encoded, {deliveries} deliveries"));
        }
        if let (Some(cpu), Some(user)) = (self.cpu_us, self.cpu_user_us) {
            lines.push(format!("  CPU per delivery     {cpu:>9.2} µs, {user:.2} of it the gateway's own code"));
        }
        lines.extend(self.usage.map(|usage| format!("  {}", usage.line())));
        lines.extend(self.bottleneck.iter().map(|why| format!("  bottleneck: {why}")));
        lines
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if self.complete != self.events {
            missed.push(format!("{} of {} events did not reach everybody", self.events - self.complete, self.events));
        }
        if self.doubles + self.missing > 0 {
            missed.push(format!("{} twice or out of order, {} missing", self.doubles, self.missing));
        }
        if self.ended > 0 {
            missed.push(format!("{} sessions ended ({})", self.ended, self.first_end.as_deref().unwrap_or_default()));
        }
        if let Some(encoded) = self.encoded.filter(|&encoded| encoded != u64::from(self.events)) {
            missed.push(format!("{encoded} encodes for {} events", self.events));
        }
        if let Some(counted) = self.counted_deliveries.filter(|&counted| counted != self.delivered) {
            missed.push(format!("the gateway counts {counted} deliveries, {} arrived", self.delivered));
        }
        if let Some(max) = self.max_ms.filter(|&max| self.last_session_median_ms > max) {
            missed
                .push(format!("{:.1} ms to the last session, at most {max} were allowed", self.last_session_median_ms));
        }
        missed
    }
}
