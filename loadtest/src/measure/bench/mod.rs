//! `bench`: every system through every measurement, in turns. Each measurement gets a Redis and a system of its own.
//!
//! In a round a measurement is made of all systems one after the other, so that what changes on the machine changes for
//! all of them; the next round goes the other way round. Whatever cannot be started or breaks is reported and skipped.

mod loads;
mod search;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use clap::ValueEnum;
use tokio::time::timeout;

pub(crate) use self::loads::Loads;
use self::search::search;
use super::{
    children::{Programs, Redis, interrupted, secret},
    fanout, idle, latency, resume, storm, wide,
};
use crate::{
    results::{BENCH, Measured, Results, Run, report},
    system::{Kind, Place, Subject},
    terminal,
};

/// One measurement of a system that hangs is given up after this; most take seconds.
const MOST: Duration = Duration::from_secs(180);

/// What can be measured of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Measure {
    /// Memory per session, and the cost of heartbeats
    Idle,
    /// CPU per delivery at 50,000 a second
    Cpu,
    /// Deliveries a second that are held
    Fanout,
    /// One room
    Wide,
    /// Connects a second
    Storm,
    /// Latency under light load
    Latency,
    /// Everybody back after an outage; the gateway alone
    Resume,
}

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    programs: Programs,
    /// The systems [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    systems: Vec<Kind>,
    /// The measurements [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    measures: Vec<Measure>,
    /// How often each
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// A tenth of everything: to see whether it works
    #[arg(long)]
    quick: bool,
    /// Where loadtest/peers/setup has put the other servers
    #[arg(long, value_name = "FOLDER", default_value = "target/peers")]
    peers: PathBuf,
    /// Write the results here after each measurement
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    out: PathBuf,
    /// Write the page here at the end
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    tokio::select! {
        done = bench(&args) => done,
        // What was measured is in the file.
        code = interrupted() => Ok(code),
    }
}

async fn bench(args: &Args) -> anyhow::Result<ExitCode> {
    let all = |given: &[Kind]| if given.is_empty() { Kind::all().to_vec() } else { given.to_vec() };
    let (systems, mut measures) = (all(&args.systems), args.measures.clone());
    if measures.is_empty() {
        measures = Measure::value_variants().to_vec();
    }
    let mut bench = Bench { args, loads: Loads::new(args.quick)?, results: Results::here(), absent: BTreeSet::new() };
    for system in &systems {
        bench.results.systems.insert(*system, system.about(Some(&bench.place(String::new(), false)?)));
    }
    for round in 1..=args.rounds {
        for measure in &measures {
            let mut order = systems.clone();
            if round % 2 == 0 {
                order.reverse();
            }
            for system in order {
                if *measure == Measure::Resume && system != Kind::Gateway || bench.absent.contains(&system) {
                    continue;
                }
                bench.one(round, *measure, system).await?;
            }
        }
    }
    report::write(&bench.results, args.html.as_deref(), None)?;
    report::show(&bench.results);
    Ok(ExitCode::SUCCESS)
}

struct Bench<'a> {
    args: &'a Args,
    loads: Loads,
    results: Results,
    /// Systems that do not start.
    absent: BTreeSet<Kind>,
}

impl Bench<'_> {
    /// Makes one measurement and notes what came of it.
    async fn one(&mut self, round: u32, measure: Measure, system: Kind) -> anyhow::Result<()> {
        let what = format!("{measure:?}").to_lowercase();
        terminal::note(format!("bench: round {round}, {what}, {system:?}"));
        let began = Instant::now();
        let measured = timeout(MOST, self.measure(measure, system)).await;
        let outcome = match measured.unwrap_or_else(|_| bail!("it took longer than {} s", MOST.as_secs())) {
            Ok(measured) => measured,
            Err(error) => Measured::Failed { what, why: format!("{error:#}") },
        };
        self.loads.learn(system, &outcome);
        let line = match &outcome {
            Measured::Failed { why, .. } => format!("cannot be measured: {why}"),
            outcome => crate::results::headline(outcome),
        };
        terminal::note(format!("  {line}   ({:.0} s)", began.elapsed().as_secs_f64()));
        self.results.runs.push(Run { system, round, generator: BENCH.to_owned(), outcome });
        self.results.write(&self.args.out)
    }

    async fn measure(&mut self, measure: Measure, system: Kind) -> anyhow::Result<Measured> {
        if measure == Measure::Resume {
            return resume::measure(&self.args.programs, &self.loads.resume).await.map(Measured::Resume);
        }
        if measure == Measure::Fanout {
            let (first, load) = (self.loads.first_rate(system), self.loads.fanout.clone());
            return search(first, &load, async || self.start(system, measure).await).await.map(Measured::Fanout);
        }
        let mut subject = match self.start(system, measure).await {
            Ok(subject) => subject,
            Err(error) => {
                self.absent.insert(system);
                return Err(error.context("it does not start"));
            }
        };
        let loads = &self.loads;
        Ok(match measure {
            Measure::Idle => Measured::Idle(idle::measure(&subject, &loads.idle).await?),
            Measure::Cpu => Measured::Cpu(fanout::measure(&mut subject, &loads.cpu).await?),
            Measure::Wide => Measured::Wide(wide::measure(&mut subject, &loads.wide).await?),
            Measure::Storm => Measured::Storm(storm::measure(&subject, &loads.storm).await?),
            Measure::Latency => Measured::Latency(latency::measure(&mut subject, &loads.latency).await?),
            Measure::Fanout | Measure::Resume => anyhow::bail!("seen to above"),
        })
    }

    /// Starts a system with a Redis of its own, which ends with it. Somebody may take a free port first: then once more.
    async fn start(&self, system: Kind, measure: Measure) -> anyhow::Result<Subject> {
        match self.try_start(system, measure).await {
            Ok(subject) => Ok(subject),
            Err(_) => self.try_start(system, measure).await,
        }
    }

    async fn try_start(&self, system: Kind, measure: Measure) -> anyhow::Result<Subject> {
        let redis = Redis::start(&self.args.programs.redis_bin).await?;
        let mut subject = system.start(&self.place(redis.url.clone(), measure == Measure::Idle)?).await?;
        subject.children.push(redis.child);
        Ok(subject)
    }

    fn place(&self, redis: String, limited: bool) -> anyhow::Result<Place> {
        let gateway = self.args.programs.gateway_bin()?;
        Ok(Place { gateway, peers: self.args.peers.clone(), redis, secret: secret(), limited })
    }
}
