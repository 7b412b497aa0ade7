//! Redis itself: killed, killed without anything on disk, paused.

use std::time::Duration;

use tokio::time::sleep;

use crate::{defaults::PATIENCE, drill::Drill, receiver::Transport};

pub(super) async fn kill(drill: &mut Drill) -> anyhow::Result<()> {
    drill.site.redis.kill().await?;
    sleep(drill.between_ms(100, 2_000)).await;
    drill.site.redis.launch(&[]).await?;
    drill.site.redis.loaded(PATIENCE).await
}

pub(super) async fn kill_and_forget(drill: &mut Drill) -> anyhow::Result<()> {
    drill.site.redis.kill().await?;
    drill.site.redis.forget()?;
    sleep(drill.between_ms(100, 1_000)).await;
    drill.site.redis.launch(&[]).await
}

/// Shorter than what the gateway waits for an answer, at times; no session may be closed for it either way.
pub(super) async fn pause(drill: &mut Drill) -> anyhow::Result<()> {
    let before = drill.cuts(Transport::Ws);
    drill.site.redis.pause()?;
    sleep(drill.between_ms(1_000, 7_000)).await;
    drill.site.redis.unpause()?;
    sleep(Duration::from_millis(200)).await;
    let cut = drill.cuts(Transport::Ws) - before;
    anyhow::ensure!(cut == 0, "{cut} sessions ended though only Redis was paused");
    Ok(())
}
