//! `siege`: a gateway under attack, seen by those who are in. Starts a Redis and a gateway, measures what well-behaved
//! sessions get while it is quiet, then under each [`attack`], then once it is over.

mod attack;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use serde::Serialize;

use self::attack::{Attack, Toll};
use super::{
    children::{Gateway, Redis},
    common::{Common, rooms},
    pace::Pacer,
    process::pss,
    step::{Step, step},
    verdict::{Outcome, conclude},
};
use crate::{
    client::Fleet,
    target::{Target, TargetArgs},
    terminal,
};

/// Under attack the 99th percentile may be this many times its quiet value.
const MAX_RATIO: f64 = 2.0;
/// Memory counts as back where it was within so much: what the first siege leaves behind (pools, tables that have grown)
/// may stay, and no further one may add to it.
const MAX_GROWTH: f64 = 1.1;
/// What the first one may leave behind, in bytes.
const MAX_RESIDUE: u64 = 8 * 1024 * 1024;
/// How often it is besieged.
const ROUNDS: usize = 2;
/// How long a phase is measured.
const SECONDS: f64 = 10.0;
/// How long the allocator may take to give memory back.
const REST: Duration = Duration::from_secs(20);

/// The phase at the end of each round.
const AFTERWARDS: &str = "afterwards";

/// What is besieged, and how hard.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The gateway's program; a release build [default: `gateway` beside this program]
    #[arg(long, value_name = "PATH")]
    gateway_bin: Option<PathBuf>,
    /// The Redis to start
    #[arg(long, value_name = "PATH", default_value = "redis-server")]
    redis_bin: PathBuf,
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

/// What a measurement of a gateway of our own is told.
#[derive(clap::Args)]
struct Own {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    target: TargetArgs,
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
        _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
    };
    conclude(&report, args.json)
}

async fn measure(args: &Args) -> anyhow::Result<Report> {
    anyhow::ensure!(args.rooms > 0 && args.sessions.is_multiple_of(args.rooms), "--sessions is a multiple of --rooms");
    let program = match &args.gateway_bin {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("gateway"),
    };
    let redis = Redis::start(&args.redis_bin).await?;
    let gateway = Gateway::start(&program, &redis).await?;
    let own: Own = gateway.arguments(&["--redis"], &[])?;
    let rooms = rooms(args.rooms as usize)?;
    let target = Target::open(&own.target, || own.common.mint().publishing())?;
    let mut pacer = Pacer::new(target, rooms.clone(), 300)?;
    let fleet = own.common.sessions(args.sessions as usize, &rooms).await?;
    let mut siege = Siege { args, pid: gateway.pid(), fleet, pacer: &mut pacer, phases: vec![] };
    siege.phase("warm-up", None).await?;
    siege.phases.clear();
    siege.phase("quiet", None).await?;
    let plan = own.common.plan()?;
    let (good, forged) = attack::tokens(&own.common.mint(), &rooms[0])?;
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
    pid: u32,
    fleet: Fleet,
    pacer: &'a mut Pacer,
    phases: Vec<Phase>,
}

impl Siege<'_> {
    /// Publishes for a while, measures, and asks the attack for its toll.
    async fn phase(&mut self, name: &'static str, attack: Option<attack::Running>) -> anyhow::Result<()> {
        terminal::note(format!("siege: {name}"));
        let room_size = u64::from(self.args.sessions / self.args.rooms);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count far below 2^52")]
        let events = (self.args.rate * SECONDS) as u64;
        let step = step(&self.fleet, self.pacer, (events, self.args.rate, room_size), Some(self.pid)).await?;
        let toll = attack.map(attack::Running::stop).transpose()?;
        self.phases.push(Phase { name, step, pss: pss(self.pid)?, toll });
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
                step.p50_ms,
                step.p99_ms,
                step.p99_ms / self.quiet().step.p99_ms,
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
            let ratio = step.p99_ms / self.quiet().step.p99_ms;
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
        if let [first, .., last] = rests[..] {
            let growth = last as f64 / first as f64;
            if growth > MAX_GROWTH {
                missed.push(format!(
                    "another siege leaves {growth:.2} times the memory, at most {MAX_GROWTH} were allowed"
                ));
            }
            if first.saturating_sub(self.quiet().pss) > MAX_RESIDUE {
                missed.push(format!("a siege leaves more than {MAX_RESIDUE} bytes behind"));
            }
        }
        missed
    }
}
