//! The move from one Redis to a cluster, under load, by the steps of `docs/scaling.md`.

use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, sleep};

use super::{
    frame::{Run, conclude},
    restart::load,
};
use crate::{
    cli::MoveArgs,
    drill::Drill,
    terminal::line,
    world::{Cluster, carry},
};

/// How long there is load before and after.
const WARM: Duration = Duration::from_secs(3);

pub(crate) async fn relocate(args: MoveArgs) -> anyhow::Result<bool> {
    let run = Run::begin("move", &args.load.common)?;
    let options = load(&run, &args.load)?;
    let outcome = run.drill(&options, async |drill| play(drill, !args.empty).await).await;
    Ok(conclude(run, outcome))
}

async fn play(drill: &mut Drill, carries: bool) -> anyhow::Result<Vec<String>> {
    let cluster = Cluster::start(&drill.site.folder).await?;
    let url = cluster.url();
    drill.site.cluster = Some(cluster);
    sleep(WARM).await;
    if !carries {
        drill.sender.ledger().redis_forgot();
    }
    let began = Instant::now();
    drill.site.redis.command::<String>(&["CONFIG", "SET", "min-replicas-to-write", "99"]).await?;
    if carries {
        let from = format!("redis://{}/", drill.site.redis.address());
        carry(&drill.site.folder, &drill.site.program, &from, &url).await?;
    }
    let carried = began.elapsed();
    drill.site.redis.kill().await?;
    drill.sender.go_to(&url)?;
    line(format!(
        "publishers were kept waiting for {} ms, {} of them by the copy",
        began.elapsed().as_millis(),
        carried.as_millis()
    ));
    let program = drill.site.program.clone();
    for gateway in &mut drill.site.gateways {
        gateway.terminate()?;
        gateway.exit(Duration::from_secs(30)).await.context("a drain")?;
        gateway.go_to(&url);
        gateway.launch(&program).await?;
    }
    let mut failures = vec![];
    if let Err(failure) = drill.recover(Instant::now()).await {
        failures.push(failure);
    }
    sleep(WARM).await;
    let told: Vec<_> = drill.receivers.iter().map(|receiver| receiver.progress().jumps).collect();
    let most = told.iter().max().copied().unwrap_or(0);
    line(format!(
        "sessions told of a loss: {}, at the most {most} times",
        told.iter().filter(|jumps| **jumps > 0).count()
    ));
    if most > u32::from(!carries) {
        failures.push(format!("a session was told of a loss {most} times"));
    }
    Ok(failures)
}
