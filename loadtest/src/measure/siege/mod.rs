//! `siege`: a gateway under attack, seen by those who are in. Starts a Redis and a gateway, measures what well-behaved
//! sessions get while it is quiet, then under each [`attack`], then once it is over.

mod attack;

use std::{process::ExitCode, time::Duration};

use serde::Serialize;

use self::attack::{Attack, Toll};
use super::{
    children::{Programs, Redis, interrupted, secret},
    pace::Pacer,
    process::pss_of_all,
    step::{Step, step},
    verdict::{Outcome, conclude},
};
use crate::{client::Fleet, terminal};

/// Under attack the 99th percentile may be this many times its quiet value.
const MAX_RATIO: f64 = 2.0;
/// Memory counts as back where it was within so much: pools and tables that have grown stay.
const MAX_GROWTH: f64 = 1.25;
/// What a further siege may add to it: nothing, but for noise.
const MAX_LEAK: f64 = 1.05;
/// How often it is besieged.
const ROUNDS: usize = 2;
/// Events a room before anything is measured: from then on rooms hold as many for returning sessions as they ever will.
const FILL: u64 = 1_000;
/// At so many a second.
const FILL_RATE: f64 = 4_000.0;
/// How long a phase is measured.
const SECONDS: f64 = 10.0;
/// How long the allocator may take to give memory back.
const REST: Duration = Duration::from_secs(20);

/// The phase at the end of each round.
const AFTERWARDS: &str = "afterwards";

/// What is besieged, and how hard.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    programs: Programs,
    /// Sessions that behave
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    sessions: u32,
    /// Rooms that they are in
    #[arg(long, value_name = "N", default_value_t = 20)]
    rooms: u32,
    /// Events a second
    #[arg(long, value_name = "N", default_value_t = 100.0)]
    rate: f64,
    /// Connection attempts in ten seconds: forged tokens, good ones, and no request at all, in turn
    #[arg(long, value_name = "N", default_value_t = 30_000)]
    attempts: usize,
    /// Handshakes that send a byte a second
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    slow: usize,
    /// Sessions that send garbage
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    garbage: usize,
    /// Print the result as one line of JSON
    #[arg(long)]
    json: bool,
}

/// One phase.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Phase {
    name: &'static str,
    step: Step,
    /// Memory of the gateway at its end, in bytes.
    pss: u64,
    toll: Option<Toll>,
}

/// The result.
#[derive(Serialize)]
pub(crate) struct Report {
    measure: &'static str,
    phases: Vec<Phase>,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let report = tokio::select! {
        report = measure(&args) => report?,
        code = interrupted() => return Ok(code),
    };
    conclude(&report, args.json)
}

async fn measure(args: &Args) -> anyhow::Result<Report> {
    anyhow::ensure!(args.rooms > 0 && args.sessions.is_multiple_of(args.rooms), "--sessions is a multiple of --rooms");
    let redis = Redis::start(&args.programs.redis_bin).await?;
    let mut subject = args.programs.gateway(&redis.url, &secret()).await?.subject()?;
    let rooms = subject.rooms(args.rooms)?;
    let mut pacer = subject.pacer(&rooms, 300)?;
    let fleet = subject.sessions(args.sessions as usize, &rooms).await?;
    let mut siege = Siege { args, pids: subject.pids.clone(), fleet, pacer: &mut pacer, phases: vec![] };
    siege.fill().await?;
    siege.phase("warm-up", None).await?;
    siege.phases.clear();
    siege.phase("quiet", None).await?;
    let plan = subject.plan();
    let (good, forged) = attack::tokens(&subject.mint)?;
    let attacks = [
        ("connection attempts", Attack::Storm { attempts: args.attempts, good: good.clone(), forged }),
        ("slow handshakes", Attack::Slow { connections: args.slow }),
        ("garbage", Attack::Garbage { sessions: args.garbage, good }),
    ];
    for _ in 0..ROUNDS {
        for (name, attack) in &attacks {
            siege.phase(name, Some(attack.clone().start(&plan)?)).await?;
        }
        let waiting = terminal::spinner("resting");
        tokio::time::sleep(REST).await;
        waiting.finish_and_clear();
        siege.phase(AFTERWARDS, None).await?;
    }
    Ok(Report { measure: "siege", phases: siege.phases })
}

struct Siege<'a> {
    args: &'a Args,
    pids: Vec<u32>,
    fleet: Fleet,
    pacer: &'a mut Pacer,
    phases: Vec<Phase>,
}

impl Siege<'_> {
    /// Gives each room all the history that it will ever hold.
    async fn fill(&mut self) -> anyhow::Result<()> {
        terminal::note("siege: filling the rooms");
        let room_size = u64::from(self.args.sessions / self.args.rooms);
        let events = u64::from(self.args.rooms) * FILL;
        step(&self.fleet, self.pacer, (events, FILL_RATE, room_size), &self.pids).await.map(drop)
    }

    /// Publishes for a while, measures, and asks the attack for its toll.
    async fn phase(&mut self, name: &'static str, attack: Option<attack::Running>) -> anyhow::Result<()> {
        terminal::note(format!("siege: {name}"));
        let room_size = u64::from(self.args.sessions / self.args.rooms);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count far below 2^52")]
        let events = (self.args.rate * SECONDS) as u64;
        let step = step(&self.fleet, self.pacer, (events, self.args.rate, room_size), &self.pids).await?;
        let toll = attack.map(attack::Running::stop).transpose()?;
        self.phases.push(Phase { name, step, pss: pss_of_all(&self.pids)?, toll });
        Ok(())
    }
}

impl Report {
    fn quiet(&self) -> &Phase {
        &self.phases[0]
    }
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{:<22} {:>8} {:>8} {:>7} {:>5} {:>9}  {}",
            "phase", "p50 ms", "p99 ms", "x quiet", "lost", "PSS MiB", "what the attackers got"
        )];
        for phase in &self.phases {
            let Phase { name, step, pss, toll } = phase;
            lines.push(format!(
                "{name:<22} {:>8.2} {:>8.2} {:>7.2} {:>5} {:>9.1}  {}",
                step.latency.p50_ms,
                step.latency.p99_ms,
                step.latency.p99_ms / self.quiet().step.latency.p99_ms,
                step.lost,
                *pss as f64 / 1_048_576.0,
                toll.as_ref().map(ToString::to_string).unwrap_or_default(),
            ));
        }
        lines
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for Phase { name, step, .. } in &self.phases {
            let ratio = step.latency.p99_ms / self.quiet().step.latency.p99_ms;
            if ratio > MAX_RATIO {
                missed
                    .push(format!("{name}: p99 is {ratio:.1} times its quiet value, at most {MAX_RATIO} were allowed"));
            }
            if step.lost + step.doubles + step.ended > 0 {
                let Step { lost, doubles, ended, .. } = step;
                missed.push(format!("{name}: {lost} lost, {doubles} twice, {ended} sessions ended"));
            }
        }
        let rests: Vec<u64> =
            self.phases.iter().filter(|phase| phase.name == AFTERWARDS).map(|phase| phase.pss).collect();
        let quiet = self.quiet().pss;
        for (what, before, after, most) in
            [("a siege", quiet, rests[0], MAX_GROWTH), ("a further one", rests[0], rests[1], MAX_LEAK)]
        {
            let growth = after as f64 / before as f64;
            if growth > most {
                missed.push(format!("{what} leaves {growth:.2} times the memory, at most {most} were allowed"));
            }
        }
        missed
    }
}
