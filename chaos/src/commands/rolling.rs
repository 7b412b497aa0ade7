//! A rollout under load, as an orchestrator does it: one more gateway is started, one is drained, until all are new. Or
//! one joins, and the fleet has to become level.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::frame::{Run, conclude};
use crate::{
    cli::{CommonArgs, RollingArgs},
    drill::{Drill, Options},
    receiver::{Phase, Transport},
    terminal::line,
    world::{Gateway, Pace},
};

/// How long it is quiet before anything happens, for comparison.
const QUIET: Duration = Duration::from_secs(20);

/// How long a new gateway is there before an old one goes: `minReadySeconds`.
const READY: Duration = Duration::from_secs(10);

/// Sessions on one balancer. It takes two descriptors for each.
const PER_BALANCER: usize = 6_500;

/// Shorter than the silence that receivers bear.
const HEARTBEAT_SECS: u32 = 5;

/// What any gateway may hold at the most of what all hold on average.
const LEVEL: f64 = 1.25;

/// What latency may become, of what it is when nothing happens; one of a few milliseconds means nothing.
const LATER: (u64, u64) = (3, 30);

pub(crate) async fn rolling(args: RollingArgs) -> anyhow::Result<bool> {
    let common = CommonArgs { seed: args.seed, gateway_bin: args.gateway_bin.clone(), transports: vec![Transport::Ws] };
    let run = Run::begin("rolling", &common)?;
    let options = Options {
        sessions: args.sessions,
        companies: args.companies,
        rate: args.rate,
        gateways: args.gateways,
        spare: 1,
        balancers: args.sessions.div_ceil(PER_BALANCER),
        pace: Pace { heartbeat_secs: HEARTBEAT_SECS, drain_secs: args.drain_secs, rebalance: args.rebalance.clone() },
        ..run.options(&common)?
    };
    let outcome = run.drill(&options, async |drill| play(drill, &args).await).await;
    Ok(conclude(run, outcome))
}

async fn play(drill: &mut Drill, args: &RollingArgs) -> anyhow::Result<Vec<String>> {
    let _joining = drill.meter.next_phase();
    sleep(QUIET).await;
    let quiet = drill.meter.next_phase();
    say("quiet", &quiet);
    if let Some(secs) = args.join {
        let failures = join(drill, Duration::from_secs(secs)).await?;
        say("joining", &drill.meter.next_phase());
        return Ok(failures);
    }
    let mut failures = roll(drill, args).await?;
    let busy = drill.meter.next_phase();
    say("rolling", &busy);
    let (p99, bound) = (busy.latency.value_at_quantile(0.99), quiet.latency.value_at_quantile(0.99) * LATER.0);
    if p99 > bound.max(LATER.1) {
        failures.push(format!("p99 of {p99} ms is more than {} times the quiet one", LATER.0));
    }
    Ok(failures)
}

/// A new one comes, an old one goes, until all are new.
async fn roll(drill: &mut Drill, args: &RollingArgs) -> anyhow::Result<Vec<String>> {
    let mut failures = vec![];
    let program = drill.site.program.clone();
    let total = drill.site.gateways.len();
    for old in 0..args.gateways {
        let new = (old + args.gateways) % total;
        drill.site.gateways[new].launch(&program).await?;
        sleep(READY).await;
        let before = drill.meter.cuts();
        let held = sessions(&drill.site.gateways[old]).await?;
        let began = Instant::now();
        drill.site.gateways[old].terminate()?;
        let patience = Duration::from_secs(u64::from(args.drain_secs) + 8);
        let status = drill.site.gateways[old].exit(patience).await?;
        anyhow::ensure!(status.success(), "a drained gateway ended with {status}");
        let most = drill.meter.cuts()[before.len().saturating_sub(1)..].iter().copied().max().unwrap_or_default();
        // The last tenth of the window, a second at least, is for those who are late.
        let window = f64::from(args.drain_secs);
        let implied = held / (window - (window / 10.0).max(1.0));
        line(format!(
            "gateway{old} drained of {held} sessions in {:.1} s; at most {most} reconnects in a second, {implied:.0} are implied",
            began.elapsed().as_secs_f64()
        ));
        if f64::from(most) > implied * 1.1 + 5.0 {
            failures.push(format!("{most} reconnects in a second, {implied:.0} were implied by the drain's window"));
        }
    }
    drill.all_connected().await;
    line(format!("sessions afterwards: {}", counts(drill).await?.1));
    Ok(failures)
}

/// One more joins.
async fn join(drill: &mut Drill, within: Duration) -> anyhow::Result<Vec<String>> {
    let program = drill.site.program.clone();
    let new = drill.site.gateways.len() - 1;
    line(format!("sessions before: {}", counts(drill).await?.1));
    drill.site.gateways[new].launch(&program).await?;
    let joined = Instant::now();
    let mut level_after = None;
    while joined.elapsed() < within {
        sleep(Duration::from_secs(1)).await;
        let ratio = counts(drill).await?.0;
        match level_after {
            None if ratio <= LEVEL => level_after = Some(joined.elapsed()),
            Some(_) if ratio > LEVEL => level_after = None,
            Some(since) if joined.elapsed() > since + READY => break,
            _ => {}
        }
    }
    let (ratio, text) = counts(drill).await?;
    line(format!("sessions afterwards: {text}; the fullest holds {ratio:.2} times the average"));
    Ok(match level_after {
        Some(after) => {
            line(format!("level (at most {LEVEL} times the average) {:.0} s after it was ready", after.as_secs_f64()));
            vec![]
        }
        None => vec![format!("not level within {} s: {text}", within.as_secs())],
    })
}

async fn sessions(gateway: &Gateway) -> anyhow::Result<f64> {
    gateway.metrics().await?.get("gateway_connections")
}

/// How much more than the average the fullest holds, and what each does.
async fn counts(drill: &Drill) -> anyhow::Result<(f64, String)> {
    let mut counts = vec![];
    for gateway in drill.site.gateways.iter().filter(|gateway| gateway.is_running()) {
        counts.push(sessions(gateway).await?);
    }
    let mean = counts.iter().sum::<f64>() / counts.len().max(1) as f64;
    let most = counts.iter().copied().fold(0.0, f64::max);
    Ok((most / mean.max(1.0), format!("{counts:?}")))
}

fn say(name: &str, phase: &Phase) {
    let at = |quantile: f64| phase.latency.value_at_quantile(quantile);
    line(format!(
        "{name}: {} deliveries, publish to receiver p50 {} ms, p99 {} ms, the last {} ms; {} reconnects",
        phase.latency.len(),
        at(0.5),
        at(0.99),
        phase.latency.max(),
        phase.cuts.iter().sum::<u32>()
    ));
}
