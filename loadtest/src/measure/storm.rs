//! `storm`: how many sessions with a token of their own are let in a second.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::{
    common::Common,
    percentiles::Percentiles,
    usage::{Usage, each_of_both},
    verdict::Outcome,
};
use crate::{client::Rush, results::Measured, system::Subject, terminal};

/// Which gateway, and how many.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    /// The gateway's process, for its CPU
    #[arg(long)]
    pid: Option<u32>,
    #[command(flatten)]
    load: Load,
}

/// How many.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Load {
    /// Sessions that come, each with a user of its own
    #[arg(long, value_name = "N", default_value_t = 18_000, value_parser = clap::value_parser!(u32).range(1..=900_000))]
    pub(crate) sessions: u32,
    /// Companies that they belong to
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) companies: u32,
    /// Sessions that are on their way in at the same time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) at_once: u32,
    /// Fail when fewer are accepted a second
    #[arg(long, value_name = "N")]
    pub(crate) min_rate: Option<u32>,
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    sessions: u32,
    companies: u32,
    at_once: u32,
    /// Sessions that were welcomed.
    pub(crate) accepted: u64,
    failed: u64,
    first_failure: Option<String>,
    /// The mark.
    pub(crate) per_second: f64,
    /// From connect to welcome.
    pub(crate) opening: Percentiles,
    /// The system's CPU for each, in microseconds, and of that its own code.
    pub(crate) cpu_us: Option<f64>,
    cpu_user_us: Option<f64>,
    usage: Usage,
    /// See [`Usage::bottleneck`].
    pub(crate) bottleneck: Option<String>,
    min_rate: Option<u32>,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let subject = args.common.subject(args.pid, None)?;
    args.common.output.conclude(Measured::Storm(measure(&subject, &args.load).await?))
}

/// Measures.
pub(crate) async fn measure(subject: &Subject, load: &Load) -> anyhow::Result<Report> {
    let rooms = subject.rooms(load.companies)?;
    let waiting = terminal::spinner("signing");
    let tickets =
        (0..load.sessions as usize).map(|number| subject.ticket(number, &rooms)).collect::<anyhow::Result<_>>()?;
    let rush = Rush { plan: subject.plan(), tickets, at_once: load.at_once as usize, goals: Vec::new() };
    subject.beginning().await?;
    waiting.set_prefix("connecting");
    let before = subject.clocks()?;
    let rushed = rush.go().await?;
    let usage = before.until(&subject.clocks()?);
    waiting.finish_and_clear();
    let (cpu_us, cpu_user_us) = usage.each(rushed.opened);
    Ok(Report {
        sessions: load.sessions,
        companies: load.companies,
        at_once: load.at_once,
        accepted: rushed.opened,
        failed: rushed.failed,
        first_failure: rushed.first_failure.clone(),
        per_second: rushed.opened as f64 / (rushed.opened_us.max(1) as f64 / 1e6),
        opening: Percentiles::of(&rushed.opening),
        cpu_us,
        cpu_user_us,
        usage,
        bottleneck: usage.bottleneck(rushed.reserve),
        min_rate: load.min_rate,
    })
}

impl Report {
    /// Of two generators that came together.
    pub(crate) fn and(&self, other: &Self) -> anyhow::Result<Self> {
        let each = |one, its| each_of_both((one, self.accepted), (its, other.accepted));
        Ok(Self {
            sessions: self.sessions + other.sessions,
            companies: self.companies + other.companies,
            at_once: self.at_once + other.at_once,
            accepted: self.accepted + other.accepted,
            failed: self.failed + other.failed,
            first_failure: self.first_failure.clone().or_else(|| other.first_failure.clone()),
            per_second: self.per_second + other.per_second,
            opening: self.opening.and(&other.opening)?,
            cpu_us: each(self.cpu_us, other.cpu_us),
            cpu_user_us: each(self.cpu_user_us, other.cpu_user_us),
            usage: self.usage.or(other.usage),
            bottleneck: self.bottleneck.clone().or_else(|| other.bottleneck.clone()),
            ..self.clone()
        })
    }
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{} sessions of {} companies, {} at once", self.sessions, self.companies, self.at_once),
            format!("  accepted             {:>9.0} per second", self.per_second),
            format!("  connect to welcome   {}", self.opening),
            format!("  {}", self.usage.line()),
        ];
        if let (Some(cpu), Some(user)) = (self.cpu_us, self.cpu_user_us) {
            lines.push(format!("  CPU per session      {cpu:>9.1} µs, {user:.1} of it the server's own code"));
        }
        lines.extend(self.bottleneck.iter().map(|why| format!("  bottleneck: {why}")));
        lines
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if self.accepted < u64::from(self.sessions) {
            let why = self.first_failure.as_deref().unwrap_or("nothing came any more");
            missed.push(format!("{} of {} sessions were accepted ({why})", self.accepted, self.sessions));
        }
        if let Some(min) = self.min_rate.filter(|&min| self.per_second < f64::from(min)) {
            missed.push(format!("{:.0} sessions accepted a second, at least {min} were asked for", self.per_second));
        }
        missed
    }
}
