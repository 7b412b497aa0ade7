//! `simulate`: plays the story against the clock and publishes it.
//!
//! The [`player`] lets the day pass and puts what happens into a bounded queue; the [`sender`] publishes it in order,
//! retrying under the same event ids, and prints each event once it is stored. The day goes on meanwhile.

mod player;
mod sender;
mod summary;

use std::process::ExitCode;

use anyhow::Context;
use chrono::{NaiveDate, Utc};
use clap::ValueEnum;
use tokio::sync::mpsc;

use crate::{
    defaults::{FLUSH_AFTER_CTRL_C, FLUSH_AT_THE_END, QUEUE},
    story::Company,
    target::{Target, TargetArgs},
    terminal,
};

/// What to play, how fast, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Token with the scope `publish` for the company `*` (`gateway token --company '*' --user sim --scope publish`)
    #[arg(long, env = "LOADTEST_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// How many companies work; the first is always plomberie-lefevre
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    companies: u32,
    /// Print the ids of these companies and stop
    #[arg(long)]
    list: bool,
    /// Which story is told: the same seed, companies and day give the same events under the same event ids
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The day that is played, YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DATE")]
    day: Option<NaiveDate>,
    /// Seconds of the story that pass in one second; 300 plays the day in a little over two minutes
    #[arg(long, default_value_t = 300.0, value_parser = positive)]
    speed: f64,
    /// Play so many events per second instead, whatever the hour
    #[arg(long, value_name = "EVENTS", conflicts_with = "speed", value_parser = positive)]
    rate: Option<f64>,
    /// Go on with the next working day, for ever
    #[arg(long = "loop")]
    for_ever: bool,
    /// Which moment the events carry
    #[arg(long, value_enum, default_value_t = Stamp::Now)]
    stamp: Stamp,
    /// Print the summary alone
    #[arg(long, short)]
    quiet: bool,
}

/// The moment in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stamp {
    /// When it is played: a dashboard shows it as it happens
    Now,
    /// When it happens in the story: every run publishes the same bytes
    Story,
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|&number: &f64| number.is_finite() && number > 0.0).ok_or("a number above 0".to_owned())
}

/// Runs the command. Fails when a played day could not be published in full; Ctrl-C is a good end.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let companies = Company::first(args.companies)?;
    if args.list {
        for company in &companies {
            terminal::line(format!("{:<28} {}", company.id, company.name));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let target = Target::open(&args.target, || args.token.clone().context("--token (or LOADTEST_TOKEN) is missing"))?;
    if !args.quiet {
        let names: Vec<&str> = companies.iter().take(3).map(|company| company.id.as_str()).collect();
        let more = if companies.len() > names.len() { ", …" } else { "" };
        terminal::note(format!("playing {} companies ({}{more}) to {target}", companies.len(), names.join(", ")));
    }
    let (queue, waiting) = mpsc::channel(QUEUE);
    let mut sender = sender::Sender::new(target, companies.clone(), args.quiet);
    let first_day = args.day.unwrap_or_else(|| Utc::now().date_naive());
    let mut player = player::Player::new(&args, companies, first_day, queue, sender.away());

    let interrupted = {
        let sending = sender.run(waiting);
        tokio::pin!(sending);
        let playing = tokio::select! {
            result = player.play() => Some(result),
            () = &mut sending => None,
            _ = tokio::signal::ctrl_c() => None,
        };
        let interrupted = playing.is_none();
        playing.transpose()?;
        player.hang_up();
        let patience = if interrupted { FLUSH_AFTER_CTRL_C } else { FLUSH_AT_THE_END };
        tokio::select! {
            _ = tokio::time::timeout(patience, &mut sending) => interrupted,
            _ = tokio::signal::ctrl_c() => true,
        }
    };
    let summary = sender.summary(player.played(), player.dropped());
    terminal::line(&summary);
    Ok(if interrupted || summary.complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
