//! `idle`: opens very many authenticated sessions and sees what each costs the gateway in memory.

use std::{process::ExitCode, time::Duration};

use serde::{Deserialize, Serialize};

use super::{common::Common, verdict::Outcome};
use crate::{clock::now_us, results::Measured, system::Subject, terminal};

/// How many sessions, and whose memory.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    /// The gateway's process; start it afresh, or the memory of an earlier peak is used again
    #[arg(long)]
    pid: u32,
    #[command(flatten)]
    load: Load,
}

/// How many sessions.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Load {
    /// Sessions to open
    #[arg(long, value_name = "N", default_value_t = 18_000, value_parser = clap::value_parser!(u32).range(1..=900_000))]
    pub(crate) sessions: u32,
    /// Companies that the sessions belong to
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) companies: u32,
    /// Seconds of rest before the memory is read; the CPU is measured over them, 30 see a heartbeat
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) settle: u64,
    /// Fail above so many bytes per session
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_bytes: Option<u64>,
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    sessions: u32,
    companies: u32,
    pss_before: u64,
    pss_after: u64,
    /// The mark.
    pub(crate) bytes_per_session: u64,
    opened_per_second: f64,
    /// What holding them costs, in percent of a core.
    idle_cpu_percent: f64,
    /// And what one of them costs in a minute: heartbeats, if the rest was long enough for them.
    pub(crate) cpu_us_per_minute: f64,
    settle: u64,
    ended: u64,
    first_end: Option<String>,
    max_bytes: Option<u64>,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let subject = args.common.subject(Some(args.pid), None)?;
    args.common.output.conclude(Measured::Idle(measure(&subject, &args.load).await?))
}

/// Measures.
pub(crate) async fn measure(subject: &Subject, load: &Load) -> anyhow::Result<Report> {
    let rooms = subject.rooms(load.companies)?;
    subject.beginning().await?;
    let pss_before = subject.pss()?;
    let began = now_us();
    let fleet = subject.sessions(load.sessions as usize, &rooms).await?;
    let opening_us = now_us() - began;
    let waiting = terminal::spinner("settling");
    let (before, at) = (subject.cpu()?.unwrap_or_default(), now_us());
    tokio::time::sleep(Duration::from_secs(load.settle)).await;
    let cpu = subject.cpu()?.unwrap_or_default().since(before).total() / ((now_us() - at).max(1) as f64 / 1e6);
    let pss_after = subject.pss()?;
    waiting.finish_and_clear();
    let tally = fleet.take(0)?.tally;
    Ok(Report {
        sessions: load.sessions,
        companies: load.companies,
        pss_before,
        pss_after,
        bytes_per_session: pss_after.saturating_sub(pss_before) / u64::from(load.sessions),
        opened_per_second: f64::from(load.sessions) / (opening_us.max(1) as f64 / 1e6),
        idle_cpu_percent: cpu * 100.0,
        cpu_us_per_minute: cpu * 60e6 / f64::from(load.sessions),
        settle: load.settle,
        ended: tally.ended,
        first_end: tally.first_end,
        max_bytes: load.max_bytes,
    })
}

impl Report {
    /// Whether all of the memory is that of sessions that are there.
    pub(crate) fn is_whole(&self) -> bool {
        self.ended == 0
    }
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
        vec![
            format!("{} idle sessions of {} companies", self.sessions, self.companies),
            format!("  memory per session   {:>9} bytes (PSS)", self.bytes_per_session),
            format!("  gateway before       {:>9.1} MiB", mib(self.pss_before)),
            format!("  gateway after        {:>9.1} MiB", mib(self.pss_after)),
            format!("  opened               {:>9.0} per second", self.opened_per_second),
            format!(
                "  CPU while idle       {:>9.2} % of a core over {} s: {:.1} µs per session and minute",
                self.idle_cpu_percent, self.settle, self.cpu_us_per_minute
            ),
        ]
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if let Some(max) = self.max_bytes.filter(|&max| self.bytes_per_session > max) {
            missed.push(format!("{} bytes per session, at most {max} were allowed", self.bytes_per_session));
        }
        if self.ended > 0 {
            let why = self.first_end.as_deref().unwrap_or_default();
            missed.push(format!("{} sessions ended while they should be idle ({why})", self.ended));
        }
        missed
    }
}
