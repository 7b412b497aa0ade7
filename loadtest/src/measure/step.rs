//! One stretch of fan-out at one rate: publish, wait for the last delivery, add up.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{
    pace::Pacer,
    percentiles::Percentiles,
    usage::{Clocks, Usage, each_of_both},
};
use crate::{
    client::{Fleet, Taken},
    defaults::GIVE_UP,
    terminal,
};

/// Of what is offered so much must arrive while it is offered.
const HELD_SHARE: f64 = 0.98;

/// The figures of one rate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    /// Deliveries a second that were asked for.
    pub(crate) offered: f64,
    /// Deliveries a second that arrived, from the first to the last.
    pub(crate) arrived: f64,
    /// Deliveries that arrived, each once.
    pub(crate) delivered: u64,
    /// Deliveries that never did.
    pub(crate) lost: u64,
    /// Deliveries that came again or out of order.
    pub(crate) doubles: u64,
    /// Losses that the gateway admitted by `resync`.
    pub(crate) resyncs: u64,
    /// Sessions that ended, and why the first did.
    pub(crate) ended: u64,
    first_end: Option<String>,
    /// From the intended send.
    pub(crate) latency: Percentiles,
    /// The longest that a publish was confirmed after its time.
    pub(crate) publish_lag_ms: f64,
    /// The system's CPU per delivery in microseconds, where its processes are known.
    pub(crate) cpu_us: Option<f64>,
    /// Of that, its own code.
    pub(crate) cpu_user_us: Option<f64>,
    /// Who used the processor.
    pub(crate) usage: Usage,
    /// Why the figure may say more about the generator than about the system.
    pub(crate) bottleneck: Option<String>,
}

/// Publishes `events` at `rate` a second to rooms of `room_size` sessions each and waits for what comes.
pub(crate) async fn step(
    fleet: &Fleet,
    pacer: &mut Pacer,
    (events, rate, room_size): (u64, f64, u64),
    pids: &[u32],
) -> anyhow::Result<Step> {
    fleet.take(0)?;
    let before = Clocks::read(pids)?;
    let expected = events * room_size;
    let goal = fleet.delivered() + expected;
    let progress = terminal::progress("deliveries", expected);
    let lag_us = {
        let running = pacer.run(events, rate);
        tokio::pin!(running);
        loop {
            tokio::select! {
                lag_us = &mut running => break lag_us?,
                () = sleep(Duration::from_millis(500)) => {
                    progress.set_position(expected.saturating_sub(goal.saturating_sub(fleet.delivered())));
                }
            }
        }
    };
    arrived(fleet, goal).await;
    progress.finish_and_clear();
    let after = Clocks::read(pids)?;
    Ok(Step::add_up(&fleet.take(0)?, expected, rate * room_size as f64, lag_us, &before, &after))
}

/// Waits until `goal` deliveries have arrived, or until nothing has come for a while.
pub(crate) async fn arrived(fleet: &Fleet, goal: u64) {
    let mut seen = fleet.delivered();
    let mut since = Instant::now();
    while seen < goal && since.elapsed() < GIVE_UP {
        sleep(Duration::from_millis(20)).await;
        let now = fleet.delivered();
        if now > seen {
            (seen, since) = (now, Instant::now());
        }
    }
}

impl Step {
    fn add_up(taken: &Taken, expected: u64, offered: f64, lag_us: u64, before: &Clocks, after: &Clocks) -> Self {
        let tally = &taken.tally;
        let usage = before.until(after);
        let span = tally.last_at.saturating_sub(tally.first_at).max(1) as f64 / 1e6;
        let lag = lag_us as f64 / 1_000.0;
        let reserve = taken.least_waited_us as f64 / 1e6 / usage.seconds;
        let (cpu_us, cpu_user_us) = usage.each(tally.delivered);
        let late = (lag > 100.0).then(|| format!("the publisher: it was {lag:.0} ms late"));
        Self {
            offered,
            arrived: tally.delivered as f64 / span,
            delivered: tally.delivered,
            lost: expected.saturating_sub(tally.delivered),
            doubles: tally.doubles,
            resyncs: tally.resyncs,
            ended: tally.ended,
            first_end: tally.first_end.clone(),
            latency: Percentiles::of(&tally.latency),
            publish_lag_ms: lag,
            cpu_us,
            cpu_user_us,
            usage,
            bottleneck: [usage.bottleneck(reserve), late]
                .into_iter()
                .flatten()
                .reduce(|one, other| format!("{one}; {other}")),
        }
    }

    /// Of two generators at the same time.
    pub(crate) fn and(&self, other: &Self) -> anyhow::Result<Self> {
        let each = |one, its| each_of_both((one, self.delivered), (its, other.delivered));
        Ok(Self {
            offered: self.offered + other.offered,
            arrived: self.arrived + other.arrived,
            delivered: self.delivered + other.delivered,
            lost: self.lost + other.lost,
            doubles: self.doubles + other.doubles,
            resyncs: self.resyncs + other.resyncs,
            ended: self.ended + other.ended,
            first_end: self.first_end.clone().or_else(|| other.first_end.clone()),
            latency: self.latency.and(&other.latency)?,
            publish_lag_ms: self.publish_lag_ms.max(other.publish_lag_ms),
            cpu_us: each(self.cpu_us, other.cpu_us),
            cpu_user_us: each(self.cpu_user_us, other.cpu_user_us),
            usage: self.usage.or(other.usage),
            bottleneck: self.bottleneck.clone().or_else(|| other.bottleneck.clone()),
        })
    }

    /// Whether the rate was held: nothing lost, nothing twice, fast enough, and no backlog growing behind it (the
    /// last deliveries are late by their latency, so the arrivals always end a little after the sending).
    pub(crate) fn holds(&self, max_p99_ms: f64) -> bool {
        self.arrived >= self.offered * HELD_SHARE
            && self.lost == 0
            && self.doubles == 0
            && self.resyncs == 0
            && self.ended == 0
            && self.latency.p99_ms <= max_p99_ms
    }

    /// What broke the promise of the contract, whatever the rate.
    pub(crate) fn broken(&self) -> Vec<String> {
        let why = self.first_end.as_deref().unwrap_or_default();
        let ended = format!("sessions ended ({why})");
        [
            (self.lost, "deliveries lost"),
            (self.doubles, "deliveries twice or out of order"),
            (self.resyncs, "resync frames"),
            (self.ended, ended.as_str()),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }
}
