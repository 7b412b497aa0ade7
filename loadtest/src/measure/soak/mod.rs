//! `soak`: sessions that come and go for an hour while events flow, then a peak that leaves. Does the gateway's memory
//! stay where it was, and does it give back what the peak took?
//!
//! The clock of the verdict is that of the sessions and events, not of the processor: a soak may run beside other work.

mod crowd;
mod report;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

pub(crate) use self::report::{Report, Sample};
use self::{
    crowd::Crowd,
    report::{given_back, growth},
};
use super::{
    children::{Programs, Redis, interrupted, secret},
    events::Events,
    output::Output,
    percentiles::Percentiles,
    process::descriptors,
};
use crate::{client::allow_descriptors, results::Measured, system::Subject, terminal};

/// Sessions come and go in steps of this.
const STEP: Duration = Duration::from_millis(20);
/// Those who come on top do so within this rate a second.
const COMING: f64 = 500.0;
/// Events a room before anything is measured: from then on rooms hold as many for returning sessions as they ever will.
const FILL: u64 = 1_000;
/// At so many a second.
const FILL_RATE: f64 = 2_000.0;
/// How long a peak stays.
const PEAK: Duration = Duration::from_secs(15);
/// With fewer looks there is no line to draw through their last two thirds.
const LEAST_LOOKS: u64 = 3;
/// Events that are under way at the end.
const LAST_ARRIVALS: Duration = Duration::from_secs(2);

/// How long, and how much.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    programs: Programs,
    /// How long
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(5..))]
    pub(crate) seconds: u64,
    /// Sessions at any time
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) sessions: u32,
    /// Companies that they belong to
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) companies: u32,
    /// Sessions that come, and as many that go, in a second
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) churn: u32,
    /// Events in a second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rate: u32,
    /// Sessions that come on top at the end, and go again
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) peak: u32,
    /// How long the gateway may take to give memory back
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) rest: u64,
    /// Seconds between two looks at the memory
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: u64,
    /// Memory is flat when a line through the last two thirds rises by no more than this share of its mean
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub(crate) max_growth: f64,
    /// Fail when less of what the peak took is given back
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    pub(crate) min_given_back: f64,
    #[command(flatten)]
    output: Output,
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let report = tokio::select! {
        report = measure(&args) => report?,
        code = interrupted() => return Ok(code),
    };
    args.output.conclude(Measured::Soak(report))
}

/// Measures.
pub(crate) async fn measure(args: &Args) -> anyhow::Result<Report> {
    anyhow::ensure!(args.seconds / args.every >= LEAST_LOOKS, "--seconds is at least {LEAST_LOOKS} times --every");
    allow_descriptors((args.sessions + args.peak + args.churn) as usize)?;
    let redis = Redis::start(&args.programs.redis_bin).await?;
    let mut subject = args.programs.gateway(&redis.url, &secret()).await?.subject()?;
    let rooms = subject.rooms(args.companies)?;
    let mut pacer = subject.pacer(&rooms, 300)?;
    let mut soak = Soak { args, subject: &subject, crowd: Crowd::new(&subject, &rooms), samples: vec![], owed: 0.0 };

    terminal::note("soak: filling the rooms");
    soak.crowd.come(rooms.len())?;
    soak.live(Duration::from_secs(1), rooms.len()).await?;
    pacer.run(FILL * rooms.len() as u64, FILL_RATE).await?;
    let filled = soak.delivered();
    let events = Events::start(pacer, args.rate);
    let wanted = args.sessions as usize;
    let ramp = Duration::from_secs_f64(f64::from(args.sessions) / COMING + 1.0);
    soak.live(ramp, wanted).await?;

    terminal::note(format!("soak: {} sessions for {} s", args.sessions, args.seconds));
    soak.samples.clear();
    soak.crowd.sightings.take_latencies();
    soak.live(Duration::from_secs(args.seconds), wanted).await?;
    let samples = std::mem::take(&mut soak.samples);

    terminal::note(format!("soak: a peak of {}", args.peak));
    let before = subject.pss()?;
    let ramp = Duration::from_secs_f64(f64::from(args.peak) / COMING);
    soak.live(ramp + PEAK, wanted + args.peak as usize).await?;
    let height = soak.samples.iter().map(|sample| sample.pss).fold(subject.pss()?, u64::max);
    // They leave at once.
    soak.crowd.go(args.peak as usize);
    soak.live(Duration::from_secs(args.rest), wanted).await?;
    let around_peak = [before, height, subject.pss()?];

    let (published, _) = events.stop().await?;
    sleep(LAST_ARRIVALS).await;
    Ok(soak.report(samples, around_peak, (published, soak.delivered() - filled)))
}

struct Soak<'a> {
    args: &'a Args,
    subject: &'a Subject,
    crowd: Crowd<'a>,
    samples: Vec<Sample>,
    /// Of the churn, what is not a whole session yet.
    owed: f64,
}

impl Soak<'_> {
    /// Lets sessions come and go for a while, about `wanted` of them being there, and looks at the gateway.
    async fn live(&mut self, span: Duration, wanted: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut steps = interval(STEP);
        // Behind another program's work the churn is made up for, in larger steps.
        steps.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let every = Duration::from_secs(self.args.every);
        let (mut looked, mut cpu) = (Duration::ZERO, self.subject.cpu()?.unwrap_or_default());
        while began.elapsed() < span {
            steps.tick().await;
            self.owed += f64::from(self.args.churn) * STEP.as_secs_f64();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive count")]
            let (exchanged, most) = (self.owed as usize, (COMING * STEP.as_secs_f64()) as usize);
            self.owed -= exchanged as f64;
            let missing = wanted.saturating_sub(self.crowd.len());
            self.crowd.go(exchanged);
            self.crowd.come(exchanged + missing.min(most))?;
            let elapsed = began.elapsed();
            if elapsed >= looked + every {
                let now = self.subject.cpu()?.unwrap_or_default();
                self.look(elapsed, now.since(cpu).total() / (elapsed - looked).as_secs_f64())?;
                (looked, cpu) = (elapsed, now);
            }
        }
        Ok(())
    }

    fn look(&mut self, elapsed: Duration, cores: f64) -> anyhow::Result<()> {
        let sample = Sample {
            second: elapsed.as_secs_f64(),
            pss: self.subject.pss()?,
            sessions: self.crowd.len() as u64,
            descriptors: self.subject.pids.iter().map(|pid| descriptors(*pid)).sum::<anyhow::Result<_>>()?,
            cores,
        };
        let Sample { second, sessions, cores, .. } = sample;
        let mib = sample.pss as f64 / 1_048_576.0;
        terminal::note(format!("  {second:>6.0} s  {mib:>7.1} MiB  {sessions:>6} sessions  {cores:.2} cores"));
        self.samples.push(sample);
        Ok(())
    }

    fn delivered(&self) -> u64 {
        self.crowd.sightings.delivered.load(Relaxed)
    }

    fn report(&self, samples: Vec<Sample>, around_peak: [u64; 3], (published, delivered): (u64, u64)) -> Report {
        let Self { args, crowd, .. } = self;
        let seen = &crowd.sightings;
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        Report {
            sessions: args.sessions,
            companies: args.companies,
            churn: args.churn,
            rate: args.rate,
            seconds: args.seconds,
            peak: args.peak,
            came: crowd.came as u64,
            published,
            delivered,
            missing: count(&seen.missing),
            doubles: count(&seen.doubles),
            losses_told: count(&seen.losses_told),
            cut: count(&seen.cut),
            refused: count(&seen.refused),
            latency: Percentiles::of(&seen.take_latencies().0),
            growth: growth(&samples),
            max_growth: args.max_growth,
            around_peak,
            given_back: given_back(around_peak),
            min_given_back: args.min_given_back,
            samples,
        }
    }
}
