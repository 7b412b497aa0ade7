//! One stretch of fan-out at one rate: publish, wait for the last delivery, add up.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{
    pace::Pacer,
    process::{Cpu, machine_idle},
};
use crate::{
    client::{Fleet, Taken},
    clock::now_us,
    defaults::{GIVE_UP, READER_RESERVE},
    terminal,
};

/// Of what is offered so much must arrive while it is offered.
const HELD_SHARE: f64 = 0.98;

/// The figures of one rate.
#[derive(Debug, Clone, Serialize)]
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
    /// Latency from the intended send, in milliseconds.
    pub(crate) p50_ms: f64,
    /// See `p50_ms`.
    pub(crate) p90_ms: f64,
    /// See `p50_ms`.
    pub(crate) p99_ms: f64,
    /// See `p50_ms`.
    pub(crate) max_ms: f64,
    /// The longest that a publish was confirmed after its time.
    pub(crate) publish_lag_ms: f64,
    /// The gateway's CPU per delivery in microseconds, where `--pid` was given.
    pub(crate) cpu_us: Option<f64>,
    /// Of that, its own code.
    pub(crate) cpu_user_us: Option<f64>,
    /// Cores that the gateway used.
    pub(crate) gateway_cores: Option<f64>,
    /// Cores that this program used.
    pub(crate) own_cores: f64,
    /// Cores of the machine that nobody used.
    pub(crate) idle_cores: f64,
    /// Cores that everybody else used: Redis, and what has no business here during a measurement.
    pub(crate) other_cores: f64,
    /// Why the figure may say more about the generator than about the gateway.
    pub(crate) bottleneck: Option<String>,
}

/// The processor's clocks at one moment.
struct Clocks {
    at_us: u64,
    gateway: Option<Cpu>,
    own: Cpu,
    idle: f64,
}

impl Clocks {
    fn read(pids: &[u32]) -> anyhow::Result<Self> {
        let gateway = (!pids.is_empty()).then(|| Cpu::of_all(pids)).transpose()?;
        Ok(Self { at_us: now_us(), gateway, own: Cpu::own()?, idle: machine_idle()? })
    }
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
        let quantile = |q: f64| tally.latency.value_at_quantile(q) as f64 / 1_000.0;
        let wall = (after.at_us - before.at_us).max(1) as f64 / 1e6;
        let span = tally.last_at.saturating_sub(tally.first_at).max(1) as f64 / 1e6;
        let gateway = after.gateway.zip(before.gateway).map(|(after, before)| after.since(before));
        let per_delivery = |seconds: f64| seconds * 1e6 / tally.delivered.max(1) as f64;
        let lag = lag_us as f64 / 1_000.0;
        let reserve = taken.least_waited_us as f64 / 1e6 / wall;
        let idle_cores = (after.idle - before.idle) / wall;
        let own_cores = after.own.since(before.own).total() / wall;
        let gateway_cores = gateway.map(|cpu| cpu.total() / wall);
        let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        let other_cores = (cores - idle_cores - own_cores - gateway_cores.unwrap_or_default()).max(0.0);
        Self {
            offered,
            arrived: tally.delivered as f64 / span,
            delivered: tally.delivered,
            lost: expected.saturating_sub(tally.delivered),
            doubles: tally.doubles,
            resyncs: tally.resyncs,
            ended: tally.ended,
            first_end: tally.first_end.clone(),
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
            max_ms: tally.latency.max() as f64 / 1_000.0,
            publish_lag_ms: lag,
            cpu_us: gateway.map(|cpu| per_delivery(cpu.total())),
            cpu_user_us: gateway.map(|cpu| per_delivery(cpu.user)),
            gateway_cores,
            own_cores,
            idle_cores,
            other_cores,
            bottleneck: bottleneck(reserve, lag, idle_cores),
        }
    }

    /// Whether the rate was held: nothing lost, nothing twice, fast enough, and no backlog growing behind it (the
    /// last deliveries are late by their latency, so the arrivals always end a little after the sending).
    pub(crate) fn holds(&self, max_p99_ms: f64) -> bool {
        self.arrived >= self.offered * HELD_SHARE
            && self.lost == 0
            && self.doubles == 0
            && self.resyncs == 0
            && self.ended == 0
            && self.p99_ms <= max_p99_ms
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

fn bottleneck(reserve: f64, lag_ms: f64, idle_cores: f64) -> Option<String> {
    if reserve < READER_RESERVE {
        Some(format!("the generator: its reader waited only {:.0} % of the time; try --readers 2", reserve * 100.0))
    } else if idle_cores < READER_RESERVE {
        Some("the machine: no core was left".to_owned())
    } else if lag_ms > 100.0 {
        Some(format!("the publisher: it was {lag_ms:.0} ms late"))
    } else {
        None
    }
}
