//! Redis killed under load and started again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::frame::{Run, conclude};
use crate::{
    cli::LoadArgs,
    defaults::PATIENCE,
    drill::{Drill, Options, percentile},
    terminal::line,
};

/// How long Redis is down.
const DOWN: Duration = Duration::from_secs(2);

/// How long there is load before that.
const WARM: Duration = Duration::from_secs(3);

/// A poll that comes from a replica that was faster may be ahead of this one, and costs its room one read more.
const AHEAD: f64 = 0.01;

pub(crate) async fn restart(args: LoadArgs) -> anyhow::Result<bool> {
    let run = Run::begin("restart", &args.common)?;
    let outcome = run.drill(&load(&run, &args)?, async |drill| play(drill).await).await;
    Ok(conclude(run, outcome))
}

/// The drill of a measurement.
pub(super) fn load(run: &Run, args: &LoadArgs) -> anyhow::Result<Options> {
    Ok(Options {
        sessions: args.sessions,
        companies: args.companies,
        rate: args.rate,
        gateways: args.gateways,
        ..run.options(&args.common)?
    })
}

async fn play(drill: &mut Drill) -> anyhow::Result<Vec<String>> {
    const READS: &str = "gateway_log_reads_total";
    sleep(WARM).await;
    let before = drill.sessions_ended();
    let reads_before = drill.site.metrics().await?.get(READS)?;
    drill.site.redis.kill().await?;
    sleep(DOWN).await;
    let started = Instant::now();
    drill.site.redis.launch(&[]).await?;
    drill.site.redis.loaded(PATIENCE).await?;
    let up = started.elapsed();
    let mut times = drill.recover(started).await.map_err(|error| anyhow::anyhow!(error))?;
    let reads = drill.site.metrics().await?.get(READS)? - reads_before;
    let rooms = drill.companies.len() * drill.site.gateways.len();
    line(format!("Redis was down for {} s and answered again {} ms after its restart", DOWN.as_secs(), up.as_millis()));
    line(format!(
        "from its restart until sessions had caught up: p50 {} ms, p99 {} ms, the last {} ms",
        percentile(&mut times, 50).as_millis(),
        percentile(&mut times, 99).as_millis(),
        percentile(&mut times, 100).as_millis()
    ));
    line(format!("log reads: {reads}, rooms x replicas: {rooms}"));
    let ended = drill.sessions_ended() - before;
    line(format!("sessions: {}, ended: {ended}", drill.receivers.len()));
    let mut failures = vec![];
    if ended > 0 {
        failures.push(format!("{ended} sessions ended though only Redis was away"));
    }
    if reads > rooms as f64 * (1.0 + AHEAD) {
        failures.push(format!("{reads} log reads are far more than {rooms} rooms x replicas"));
    }
    Ok(failures)
}
