//! Failover under sentinels: a clean one, and one that loses the end of the logs.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    time::Duration,
};

use anyhow::Context;
use futures_util::future::join_all;
use shared::{CompanyId, Cursor, EventFrame, keys};
use tokio::time::sleep;

use crate::{
    defaults::PATIENCE,
    drill::Drill,
    oracle::Fact,
    world::{Redis, command, eventually},
};

/// What the old master acknowledges before it learns that it is one no more is lost: Redis gives no other word on it.
pub(super) async fn fail_over(drill: &mut Drill) -> anyhow::Result<()> {
    replica_is_in_step(drill).await?;
    let began = drill.site.folder.now_ms();
    let (sentinels, _) = drill.site.guarded.as_ref().context("no sentinels")?;
    sentinels.fail_over().await?;
    drill.heal().await;
    let master = replica_is_in_step(drill).await?;
    note_the_gone(drill, &drill.companies, master, began).await
}

/// The replica loses touch, fifty events are stored without it, the master dies, the replica is promoted.
pub(super) async fn lose_tail(drill: &mut Drill) -> anyhow::Result<()> {
    replica_is_in_step(drill).await?;
    let began = drill.site.folder.now_ms();
    let (sentinels, _) = drill.site.guarded.as_ref().context("no sentinels")?;
    let before = sentinels.master().await?;
    let replica = if drill.site.redis.address() == before {
        drill.site.guarded.as_ref().context("no replica")?.1.address()
    } else {
        drill.site.redis.address()
    };
    command::<String>(replica, &["REPLICAOF", "127.0.0.1", "1"]).await?;
    let companies: Vec<_> = (0..50).map(|_| drill.any_company()).collect();
    join_all(companies.iter().map(|company| drill.sender.publish(company))).await;
    sleep(Duration::from_millis(300)).await;
    role(drill, before)?.kill().await?;
    let (sentinels, _) = drill.site.guarded.as_ref().context("no sentinels")?;
    eventually("the replica is promoted", PATIENCE * 2, async || {
        let now = sentinels.master().await?;
        anyhow::ensure!(now == replica, "the master is {now}");
        let role: redis::Value = command(now, &["ROLE"]).await?;
        anyhow::ensure!(format!("{role:?}").contains("master"), "{now} is not promoted yet");
        Ok(())
    })
    .await?;
    drill.heal().await;
    note_the_gone(drill, &drill.companies, replica, began).await?;
    role(drill, before)?.launch(&[]).await?;
    replica_is_in_step(drill).await?;
    Ok(())
}

/// Strikes from the ledger what was acknowledged and is not in the new master's logs.
pub(super) async fn note_the_gone(
    drill: &Drill,
    companies: &[CompanyId],
    master: SocketAddr,
    began: u64,
) -> anyhow::Result<()> {
    let mut gone = 0;
    for company in companies {
        let before = drill.sender.ledger().acknowledged(company);
        let log = keys::log(company);
        let entries: Vec<(String, HashMap<String, String>)> = command(master, &["XRANGE", &log, "-", "+"]).await?;
        let first = entries.first().map_or(Ok(Cursor::EMPTY), |(id, _)| id.parse())?;
        let held: HashSet<u64> = entries.iter().filter_map(|(_, fields)| fact(fields)).collect();
        gone += drill.sender.ledger().take_away(company, first, &before, &held, began);
    }
    drill.site.folder.note(&format!("{gone} acknowledged facts are gone"));
    Ok(())
}

/// The Redis at this address.
fn role(drill: &mut Drill, address: SocketAddr) -> anyhow::Result<&mut Redis> {
    if drill.site.redis.address() == address {
        return Ok(&mut drill.site.redis);
    }
    Ok(&mut drill.site.guarded.as_mut().context("no replica")?.1)
}

/// Waits until there is one master and one replica that has all of it, in everybody's eyes.
async fn replica_is_in_step(drill: &Drill) -> anyhow::Result<SocketAddr> {
    let (sentinels, _) = drill.site.guarded.as_ref().context("no sentinels")?;
    eventually("the replica is in step", PATIENCE * 2, async || {
        let master = sentinels.agree().await?;
        let info: String = command(master, &["INFO", "replication"]).await?;
        let in_step = info.contains("role:master") && info.contains("state=online");
        anyhow::ensure!(in_step, "{master} has no replica that is online");
        Ok(master)
    })
    .await
}

/// The number of the fact in a log entry.
fn fact(fields: &HashMap<String, String>) -> Option<u64> {
    let frame = fields.get(keys::LOG_FIELD)?.splitn(4, ' ').nth(3)?;
    let frame: EventFrame = serde_json::from_str(frame).ok()?;
    Some(serde_json::from_value::<Fact>(frame.data).ok()?.n)
}
