//! A gateway killed under load.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    frame::{Run, conclude},
    restart::load,
};
use crate::{
    cli::LoadArgs,
    drill::{Drill, percentile},
    terminal::line,
};

/// By then every session is on the others.
const PROMISED: Duration = Duration::from_secs(5);

pub(crate) async fn failover(args: LoadArgs) -> anyhow::Result<bool> {
    let run = Run::begin("failover", &args.common)?;
    let outcome = run.drill(&load(&run, &args)?, async |drill| play(drill).await).await;
    Ok(conclude(run, outcome))
}

async fn play(drill: &mut Drill) -> anyhow::Result<Vec<String>> {
    const READS: &str = "gateway_log_reads_total";
    sleep(Duration::from_secs(3)).await;
    let before: Vec<u32> = drill.receivers.iter().map(|receiver| receiver.progress().cuts).collect();
    let left = &drill.site.gateways[1..];
    let mut reads = 0.0;
    for gateway in left {
        reads -= gateway.metrics().await?.get(READS)?;
    }
    let killed = Instant::now();
    drill.site.gateways[0].kill().await?;
    let mut times = drill.recover(killed).await.map_err(|error| anyhow::anyhow!(error))?;
    for gateway in &drill.site.gateways[1..] {
        reads += gateway.metrics().await?.get(READS)?;
    }
    let moved = drill.receivers.iter().zip(before).filter(|(one, before)| one.progress().cuts > *before).count();
    let last = percentile(&mut times, 100);
    line(format!("{moved} of {} sessions were on the gateway that was killed", drill.receivers.len()));
    line(format!(
        "until they had caught up elsewhere: p50 {} ms, p99 {} ms, the last {} ms; log reads: {reads}",
        percentile(&mut times, 50).as_millis(),
        percentile(&mut times, 99).as_millis(),
        last.as_millis()
    ));
    drill.site.relaunch().await?;
    Ok(if last > PROMISED { vec![format!("the last session took {} ms", last.as_millis())] } else { vec![] })
}
