//! Redis answers, and the answer is no.

use std::time::Duration;

use publisher::PublishError;
use tokio::time::{interval, sleep};

use crate::{
    defaults::PATIENCE,
    drill::Drill,
    world::{command, eventually},
};

/// The gateways may not listen any more, and later may again.
pub(super) async fn revoke(drill: &mut Drill) -> anyhow::Result<()> {
    let redis = &drill.site.redis;
    redis.command::<String>(&["ACL", "SETUSER", "gateway", "resetchannels"]).await?;
    sleep(drill.between_ms(500, 3_000)).await;
    drill.site.redis.command::<String>(&["ACL", "SETUSER", "gateway", "allchannels"]).await?;
    Ok(())
}

pub(super) async fn flush_scripts(drill: &mut Drill) -> anyhow::Result<()> {
    let mut beat = interval(Duration::from_millis(50));
    for _ in 0..drill.between(5, 30) {
        beat.tick().await;
        drill.site.redis.command::<String>(&["SCRIPT", "FLUSH"]).await?;
        drill.site.redis.command::<String>(&["FUNCTION", "FLUSH"]).await?;
    }
    Ok(())
}

/// It is there, and answers LOADING for a while.
pub(super) async fn load(drill: &mut Drill) -> anyhow::Result<()> {
    drill.site.redis.kill().await?;
    // Redis looks up from its work every 1,024 commands.
    let slowly = ["--key-load-delay", "200"];
    drill.site.redis.launch(&slowly).await?;
    sleep(drill.between_ms(500, 2_000)).await;
    drill.site.redis.command::<String>(&["CONFIG", "SET", "key-load-delay", "0"]).await?;
    drill.site.redis.loaded(PATIENCE).await
}

/// A replica of nobody for a while: READONLY.
pub(super) async fn read_only(drill: &mut Drill) -> anyhow::Result<()> {
    drill.site.redis.command::<String>(&["REPLICAOF", "127.0.0.1", "1"]).await?;
    sleep(drill.between_ms(300, 2_000)).await;
    drill.site.redis.command::<String>(&["REPLICAOF", "NO", "ONE"]).await?;
    Ok(())
}

/// It cannot write its snapshots, and takes nothing that it could not keep: MISCONF.
pub(super) async fn not_persist(drill: &mut Drill) -> anyhow::Result<()> {
    let set = async |name: &str, value: &str| {
        drill.site.redis.command::<String>(&["CONFIG", "SET", name, value]).await.map(drop)
    };
    drill.site.redis.block_snapshots("blocked")?;
    set("dbfilename", "blocked").await?;
    set("save", "3600 1000000").await?;
    drill.site.redis.command::<String>(&["BGSAVE"]).await?;
    let failed = eventually("the snapshot fails", PATIENCE, async || {
        let info: String = drill.site.redis.command(&["INFO", "persistence"]).await?;
        anyhow::ensure!(info.contains("rdb_last_bgsave_status:err"), "it has not failed yet");
        Ok(())
    })
    .await;
    let company = drill.companies[0].clone();
    let (told, _) = drill.sender.try_once(&company).await;
    sleep(Duration::from_millis(500)).await;
    set("save", "").await?;
    set("dbfilename", "dump.rdb").await?;
    failed?;
    match told {
        Err(PublishError::Full(_)) => Ok(()),
        other => anyhow::bail!("a publish into a Redis that cannot persist ended with {other:?}"),
    }
}

/// A script that does not end: BUSY.
pub(super) async fn busy(drill: &mut Drill) -> anyhow::Result<()> {
    let address = drill.site.redis.address();
    drill.site.redis.command::<String>(&["CONFIG", "SET", "busy-reply-threshold", "100"]).await?;
    let endless =
        tokio::spawn(async move { command::<redis::Value>(address, &["EVAL", "while true do end", "0"]).await });
    sleep(drill.between_ms(500, 2_500)).await;
    let killed = drill.site.redis.command::<String>(&["SCRIPT", "KILL"]).await;
    // It ends with an error, which is what it was asked for.
    let _ended = endless.await?;
    killed.map(drop)
}
