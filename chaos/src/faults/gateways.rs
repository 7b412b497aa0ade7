//! The gateways: killed, drained, paused, replaced, left alone with everybody.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    defaults::{DRAIN_SECS, SILENCE},
    drill::Drill,
    receiver::Transport,
    world::{Program, eventually, within},
};

pub(super) async fn kill(drill: &mut Drill) -> anyhow::Result<()> {
    let one = drill.below(drill.site.gateways.len());
    drill.site.gateways[one].kill().await?;
    sleep(drill.between_ms(0, 1_500)).await;
    drill.site.relaunch().await
}

/// SIGTERM; at times a second one, at times while Redis does not answer.
pub(super) async fn drain(drill: &mut Drill) -> anyhow::Result<()> {
    let one = drill.below(drill.site.gateways.len());
    let (twice, deaf) = (drill.toss(), drill.toss());
    if deaf {
        drill.site.redis.pause()?;
    }
    let gateway = &mut drill.site.gateways[one];
    gateway.terminate()?;
    if twice {
        sleep(Duration::from_millis(100)).await;
        // It may be gone already.
        let _gone = gateway.terminate();
    }
    let status = gateway.exit(Duration::from_secs(u64::from(DRAIN_SECS) + 8)).await;
    if deaf {
        drill.site.redis.unpause()?;
    }
    let status = status?;
    drill.site.relaunch().await?;
    // The second signal means: now.
    anyhow::ensure!(status.success() || twice, "the drained gateway ended with {status}");
    Ok(())
}

/// Each gateway is replaced by another build, and then by the first again.
pub(super) async fn roll(drill: &mut Drill) -> anyhow::Result<()> {
    let other = drill.other_build.clone().ok_or_else(|| anyhow::anyhow!("no other build was named"))?;
    let own = drill.site.program.clone();
    for program in [Program { path: other, clock: None }, own] {
        for gateway in &mut drill.site.gateways {
            gateway.terminate()?;
            gateway.exit(Duration::from_secs(u64::from(DRAIN_SECS) + 8)).await?;
            gateway.launch(&program).await?;
        }
    }
    Ok(())
}

/// Long enough that its clients leave it; when it wakes it must not go on as if nothing had happened.
pub(super) async fn pause(drill: &mut Drill) -> anyhow::Result<()> {
    let one = drill.below(drill.site.gateways.len());
    drill.site.gateways[one].pause()?;
    sleep(SILENCE + drill.between_ms(0, 4_000)).await;
    drill.site.gateways[one].unpause()
}

/// All but one are killed at once. Whoever is left must not ask the log for each session.
pub(super) async fn herd(drill: &mut Drill) -> anyhow::Result<()> {
    const READS: &str = "gateway_log_reads_total";
    let left = drill.below(drill.site.gateways.len());
    let before = drill.site.gateways[left].metrics().await?.get(READS)?;
    for (number, gateway) in drill.site.gateways.iter_mut().enumerate() {
        if number != left {
            gateway.kill().await?;
        }
    }
    let held = drill.receivers.iter().filter(|receiver| receiver.transport != Transport::Poll).count() as f64;
    eventually("everybody is on the one that is left", Duration::from_secs(15), async || {
        let now = drill.site.gateways[left].metrics().await?.get("gateway_connections")?;
        anyhow::ensure!(now >= held, "{now} connections of {held}");
        Ok(())
    })
    .await?;
    within("everybody is let in", Duration::from_secs(5), drill.all_connected()).await?;
    let reads = drill.site.gateways[left].metrics().await?.get(READS)? - before;
    let rooms = drill.companies.len();
    drill.site.folder.note(&format!("herd: {reads} log reads for {rooms} rooms"));
    drill.site.relaunch().await?;
    // One for each room, and one for each that opened only now.
    anyhow::ensure!(reads <= 2.0 * rooms as f64, "{reads} log reads for {rooms} rooms");
    Ok(())
}

/// A gateway whose wall clock is ten minutes off.
pub(super) async fn wrong_clock(drill: &mut Drill) -> anyhow::Result<()> {
    let one = drill.below(drill.site.gateways.len());
    for clock in ["+10m", "-10m"] {
        let program = Program { clock: Some(clock), ..drill.site.program.clone() };
        drill.site.gateways[one].kill().await?;
        drill.site.gateways[one].launch(&program).await?;
        sleep(Duration::from_secs(2)).await;
    }
    drill.site.gateways[one].kill().await?;
    drill.site.relaunch().await
}
