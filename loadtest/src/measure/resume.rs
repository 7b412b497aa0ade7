//! `resume`: the gateway is killed, events go on, a new one starts on the same port, and everybody comes back at once
//! with their cursors. When does the last one have everything, and how often was the log read?

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::{
    children::{Gateway, Programs, Redis, interrupted, secret},
    metrics::counter,
    output::Output,
    percentiles::Percentiles,
    usage::Usage,
    verdict::Outcome,
};
use crate::{
    client::{Rush, Rushed},
    results::Measured,
    terminal,
};

/// Events a room before the outage, so that everybody has a cursor in a log.
const BEFORE: u64 = 20;
/// At so many a second.
const RATE: f64 = 2_000.0;

/// How many, and what they miss.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    programs: Programs,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    output: Output,
}

/// See [`Args`].
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Load {
    /// Sessions that come back
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=900_000))]
    pub(crate) sessions: u32,
    /// Companies that they belong to
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) companies: u32,
    /// Events of each company during the outage
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=900))]
    pub(crate) events: u64,
    /// Sessions that are on their way in at the same time
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) at_once: u32,
    /// Fail when the last one has everything later than this
    #[arg(long, value_name = "MS")]
    pub(crate) max_ms: Option<f64>,
    /// Fail when logs are read more often
    #[arg(long, value_name = "N")]
    pub(crate) max_log_reads: Option<u64>,
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    sessions: u32,
    companies: u32,
    events: u64,
    at_once: u32,
    /// From the first connect until the last session was in.
    pub(crate) last_in_ms: f64,
    /// From the first connect until the last session had everything.
    pub(crate) last_caught_up_ms: f64,
    /// From the first connect until a session had everything.
    pub(crate) caught_up: Percentiles,
    complete: u64,
    delivered: u64,
    missing: u64,
    doubles: u64,
    losses_told: u64,
    ended: u64,
    first_end: Option<String>,
    /// Attempts that had to be repeated.
    refused: u64,
    first_refusal: Option<String>,
    /// Reads of companies' logs by the new gateway.
    pub(crate) log_reads: u64,
    usage: Usage,
    /// See [`Usage::bottleneck`].
    pub(crate) bottleneck: Option<String>,
    max_ms: Option<f64>,
    max_log_reads: Option<u64>,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let report = tokio::select! {
        report = measure(&args.programs, &args.load) => report?,
        code = interrupted() => return Ok(code),
    };
    args.output.conclude(Measured::Resume(report))
}

/// Measures.
pub(crate) async fn measure(programs: &Programs, load: &Load) -> anyhow::Result<Report> {
    let redis = Redis::start(&programs.redis_bin).await?;
    let secret = secret();
    let gateway = programs.gateway(&redis.url, &secret).await?;
    let address = gateway.public;
    let mut subject = gateway.subject()?;
    let rooms = subject.rooms(load.companies)?;
    let mut pacer = subject.pacer(&rooms, 300)?;
    pacer.run(BEFORE * rooms.len() as u64, RATE).await?;

    let tickets =
        (0..load.sessions as usize).map(|number| subject.ticket(number, &rooms)).collect::<anyhow::Result<_>>()?;
    let mut rush = Rush { plan: subject.plan(), tickets, at_once: load.at_once as usize, goals: Vec::new() };
    let waiting = terminal::spinner("connecting");
    let first = rush.clone().go().await?;
    anyhow::ensure!(
        first.opened == u64::from(load.sessions),
        "only {} sessions came in: {}",
        first.opened,
        first.first_failure.unwrap_or_default()
    );

    waiting.set_prefix("outage");
    // Killed, as by the kernel: nobody is told anything.
    subject.children.clear();
    pacer.run(load.events * rooms.len() as u64, RATE).await?;
    for (ticket, place) in rush.tickets.iter_mut().zip(&first.places) {
        ticket.after = Some(*place);
    }
    rush.goals = (0..rush.tickets.len()).map(|number| pacer.newest()[number % rooms.len()]).collect();
    drop(first);

    let program = programs.gateway_bin()?;
    let subject = Gateway::start_at(address, &program, &redis.url, &secret, &[]).await?.subject()?;
    waiting.set_prefix("coming back");
    let before = subject.clocks()?;
    let back = rush.go().await?;
    let usage = before.until(&subject.clocks()?);
    waiting.finish_and_clear();
    let admin = subject.admin.as_ref().ok_or_else(|| anyhow::anyhow!("a gateway has metrics"))?;
    let log_reads = counter(admin, "gateway_log_reads_total").await?;
    Ok(Report::new(load, back, usage, log_reads))
}

impl Report {
    fn new(load: &Load, back: Rushed, usage: Usage, log_reads: u64) -> Self {
        Self {
            sessions: load.sessions,
            companies: load.companies,
            events: load.events,
            at_once: load.at_once,
            last_in_ms: back.opened_us as f64 / 1_000.0,
            last_caught_up_ms: back.caught_up.max() as f64 / 1_000.0,
            complete: back.caught_up.len(),
            caught_up: Percentiles::of(&back.caught_up),
            delivered: back.tally.delivered,
            missing: back.tally.missing,
            doubles: back.tally.doubles,
            losses_told: back.lost_told + back.tally.resyncs,
            ended: back.tally.ended,
            first_end: back.tally.first_end,
            refused: back.failed,
            first_refusal: back.first_failure,
            log_reads,
            usage,
            bottleneck: usage.bottleneck(back.reserve),
            max_ms: load.max_ms,
            max_log_reads: load.max_log_reads,
        }
    }
}

impl Report {
    /// Whether everybody got everything: times of what never came are not in the figures.
    pub(crate) fn is_whole(&self) -> bool {
        self.complete == u64::from(self.sessions) && self.losses_told == 0
    }
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{} sessions of {} companies come back, each to {} events",
                self.sessions, self.companies, self.events
            ),
            format!("  last one is in       {:>9.0} ms", self.last_in_ms),
            format!("  last one caught up   {:>9.0} ms", self.last_caught_up_ms),
            format!("  caught up            {}", self.caught_up),
            format!("  reads of logs        {:>9}", self.log_reads),
            format!("  {}", self.usage.line()),
        ];
        if let Some(why) = &self.first_refusal {
            lines.push(format!("  {} attempts were repeated: {why}", self.refused));
        }
        lines.extend(self.bottleneck.iter().map(|why| format!("  bottleneck: {why}")));
        lines
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if self.complete < u64::from(self.sessions) {
            let why = self.first_end.as_deref().or(self.first_refusal.as_deref()).unwrap_or_default();
            missed.push(format!("{} of {} sessions got everything ({why})", self.complete, self.sessions));
        }
        let expected = u64::from(self.sessions) * self.events;
        if self.delivered != expected {
            missed.push(format!("{} deliveries instead of {expected}", self.delivered));
        }
        let Self { missing, doubles, losses_told, .. } = self;
        if missing + doubles + losses_told > 0 {
            missed.push(format!("{missing} events missing, {doubles} twice, {losses_told} losses told"));
        }
        if let Some(max) = self.max_ms.filter(|&max| self.last_caught_up_ms > max) {
            missed.push(format!("{:.0} ms until the last one, at most {max} were allowed", self.last_caught_up_ms));
        }
        if let Some(max) = self.max_log_reads.filter(|&max| self.log_reads > max) {
            missed.push(format!("{} reads of logs, at most {max} were allowed", self.log_reads));
        }
        missed
    }
}
