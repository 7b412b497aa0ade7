//! `bench`: one command for all figures. Starts a Redis and, for each measurement afresh, a gateway on free ports.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use serde::Serialize;

use super::{
    children::{Gateway, Redis, secret},
    fanout, idle,
    verdict::{Outcome, conclude},
    wide,
};
use crate::terminal;

/// The marks of the running core: bytes per idle session, deliveries per second.
const MARKS: (u64, u32) = (3_072, 300_000);

/// What to start, and how much.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The gateway's program; a release build [default: `gateway` beside this program]
    #[arg(long, value_name = "PATH")]
    gateway_bin: Option<PathBuf>,
    /// The Redis to start
    #[arg(long, value_name = "PATH", default_value = "redis-server")]
    redis_bin: PathBuf,
    /// Sessions of `idle`
    #[arg(long, value_name = "N", default_value_t = 18_000)]
    idle: u32,
    /// Sessions of `wide`
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    wide: u32,
    /// Deliveries per second of `fanout`
    #[arg(long, value_name = "N", default_value_t = MARKS.1)]
    fanout: u32,
    /// Let `fanout` step up from there
    #[arg(long)]
    ramp: bool,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

/// All results.
#[derive(Serialize)]
struct Report {
    idle: idle::Report,
    wide: wide::Report,
    fanout: fanout::Report,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let report = tokio::select! {
        report = measure(&args) => report?,
        // The children end with what is dropped here.
        _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
    };
    conclude(&report, args.json)
}

async fn measure(args: &Args) -> anyhow::Result<Report> {
    let program = match &args.gateway_bin {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("gateway"),
    };
    let redis = Redis::start(&args.redis_bin).await?;
    let start = async || Gateway::start(&program, &redis.url, &secret()).await?.subject();

    terminal::note("idle: memory per session");
    let load = load(&[("--sessions", args.idle), ("--max-bytes", MARKS.0 as u32)])?;
    let idle = idle::measure(&start().await?, &load).await?;

    terminal::note("wide: one room");
    let wide = wide::measure(&mut start().await?, &self::load(&[("--sessions", args.wide)])?).await?;

    terminal::note("fanout: deliveries per second");
    let mut load: fanout::Load =
        self::load(&[("--deliveries", args.fanout), ("--min-deliveries", args.fanout.min(MARKS.1))])?;
    load.ramp = args.ramp;
    let fanout = fanout::measure(&mut start().await?, &load).await?;
    Ok(Report { idle, wide, fanout })
}

/// Lets `clap` fill what is not said with the same defaults as on the command line.
#[derive(Parser)]
struct Defaults<T: clap::Args> {
    #[command(flatten)]
    args: T,
}

/// What a measurement is told in numbers.
fn load<T: clap::Args>(numbers: &[(&str, u32)]) -> anyhow::Result<T> {
    let numbers = numbers.iter().flat_map(|(name, number)| [(*name).to_owned(), number.to_string()]);
    let line = std::iter::once("bench".to_owned()).chain(numbers);
    Ok(Defaults::<T>::try_parse_from(line).context("arguments of the measurement")?.args)
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.idle.lines());
        lines.extend(self.wide.lines());
        lines.extend(self.fanout.lines());
        let kept = |kept: bool| if kept { console::style("kept").green() } else { console::style("MISSED").red() };
        lines.push(String::new());
        lines.push(format!("{:<34} {:>12} {:>14}", "measure", "mark", "measured"));
        let bytes = self.idle.bytes_per_session;
        lines.push(format!(
            "{:<34} {:>12} {bytes:>14} {}",
            "bytes per idle session",
            format!("<= {}", MARKS.0),
            kept(bytes <= MARKS.0)
        ));
        let encodes = self.wide.encoded.unwrap_or_default();
        lines.push(format!(
            "{:<34} {:>12} {encodes:>14} {}",
            "encodes in one wide room",
            self.wide.events,
            kept(self.wide.missed().is_empty())
        ));
        let held = self.fanout.held;
        lines.push(format!(
            "{:<34} {:>12} {held:>14.0} {}",
            "deliveries per second",
            format!(">= {}", MARKS.1),
            kept(held >= f64::from(MARKS.1))
        ));
        lines
    }

    fn missed(&self) -> Vec<String> {
        [self.idle.missed(), self.wide.missed(), self.fanout.missed()].concat()
    }
}
