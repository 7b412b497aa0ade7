//! The links to Redis: cut by Redis, overrun, gone deaf, and a stream that arrives in pieces.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{interval, sleep};

use crate::{
    drill::Drill,
    world::{Toxic, eventually},
};

pub(super) async fn kill_pubsub(drill: &mut Drill) -> anyhow::Result<()> {
    let mut beat = interval(Duration::from_millis(500));
    for _ in 0..drill.between(2, 6) {
        beat.tick().await;
        drill.site.redis.command::<i64>(&["CLIENT", "KILL", "TYPE", "pubsub"]).await?;
    }
    Ok(())
}

pub(super) async fn kill_normal(drill: &mut Drill) -> anyhow::Result<()> {
    let mut beat = interval(Duration::from_millis(100));
    for _ in 0..drill.between(5, 20) {
        beat.tick().await;
        drill.site.redis.command::<i64>(&["CLIENT", "KILL", "TYPE", "normal"]).await?;
    }
    Ok(())
}

/// A gateway does not read until Redis has had enough of it.
pub(super) async fn overrun(drill: &mut Drill) -> anyhow::Result<()> {
    const LIMIT: &str = "client-output-buffer-limit";
    let line = drill.below(drill.site.lines.len());
    let company = drill.any_company();
    let redis = &drill.site.redis;
    redis.command::<String>(&["CONFIG", "SET", LIMIT, "pubsub 64kb 32kb 1"]).await?;
    let listeners = async || {
        let clients: String = redis.command(&["CLIENT", "LIST", "TYPE", "pubsub"]).await?;
        anyhow::Ok(clients.lines().count())
    };
    let before = listeners().await?;
    drill.site.lines[line].set(Toxic::BlackHole);
    for _ in 0..8 {
        join_all((0..20).map(|_| drill.sender.publish_heavy(&company))).await;
        if listeners().await? < before {
            break;
        }
    }
    let cut = eventually("Redis cuts the gateway off", Duration::from_secs(5), async || {
        let now = listeners().await?;
        anyhow::ensure!(now < before, "{now} of {before} listen");
        Ok(())
    })
    .await;
    drill.site.lines[line].set(Toxic::Pass);
    redis.command::<String>(&["CONFIG", "SET", LIMIT, "pubsub 32mb 8mb 60"]).await?;
    cut
}

/// TCP stays up and nothing arrives: the gateway must find that out by itself.
pub(super) async fn black_hole(drill: &mut Drill) -> anyhow::Result<()> {
    const DISCONNECTS: &str = "gateway_backplane_disconnects_total";
    // Two probe intervals with an answer that never comes, and room for a busy machine.
    const NOTICED: Duration = Duration::from_secs(15);
    let line = drill.below(drill.site.lines.len());
    let gateway = &drill.site.gateways[line];
    let before = gateway.metrics().await?.get(DISCONNECTS)?;
    drill.site.lines[line].set(Toxic::BlackHole);
    let noticed = eventually("the gateway notices", NOTICED, async || {
        let now = gateway.metrics().await?.get(DISCONNECTS)?;
        anyhow::ensure!(now > before, "still {now} disconnects");
        Ok(())
    })
    .await;
    drill.site.lines[line].set(Toxic::Pass);
    noticed
}

pub(super) async fn cut_and_slice(drill: &mut Drill) -> anyhow::Result<()> {
    let line = drill.below(drill.site.lines.len());
    for _ in 0..drill.between(2, 5) {
        let bytes = drill.below(3_000);
        drill.site.lines[line].set(Toxic::CutAfter(bytes));
        drill.site.publishers.set(Toxic::CutAfter(bytes * 2));
        sleep(Duration::from_millis(500)).await;
    }
    for other in [Toxic::Slices, Toxic::Reset, Toxic::Delay(drill.between_ms(1, 20)), Toxic::Throttle(20_000)] {
        drill.site.lines[line].set(other);
        drill.site.publishers.set(if other == Toxic::Slices { other } else { Toxic::Pass });
        sleep(Duration::from_millis(500)).await;
    }
    drill.site.lines[line].set(Toxic::Pass);
    drill.site.publishers.set(Toxic::Pass);
    Ok(())
}
