//! The data in Redis: wiped, trimmed, without room, evicted.

use std::time::Duration;

use futures_util::future::join_all;
use publisher::PublishError;
use shared::keys;
use tokio::time::sleep;

use crate::{drill::Drill, receiver::Order};

pub(super) async fn wipe(drill: &mut Drill) -> anyhow::Result<()> {
    if drill.toss() {
        drill.site.redis.command::<String>(&["FLUSHALL"]).await?;
        return Ok(());
    }
    for _ in 0..3 {
        let log = keys::log(&drill.any_company());
        drill.site.redis.command::<i64>(&["DEL", &log]).await?;
    }
    Ok(())
}

/// Some are away while their log is trimmed. Half of the time the gateways forget what they knew, too.
pub(super) async fn trim(drill: &mut Drill) -> anyhow::Result<()> {
    let company = drill.any_company();
    let away: Vec<_> = drill.receivers.iter().filter(|receiver| receiver.company == company).collect();
    let away = &away[..away.len().div_ceil(2)];
    away.iter().for_each(|receiver| receiver.order(Order::Away));
    join_all((0..20).map(|_| drill.sender.publish(&company))).await;
    drill.site.redis.command::<i64>(&["XTRIM", &keys::log(&company), "MAXLEN", "1"]).await?;
    let forgets = drill.toss();
    if forgets {
        for gateway in &mut drill.site.gateways {
            gateway.kill().await?;
            gateway.launch(&drill.site.program).await?;
        }
    }
    drill.receivers.iter().for_each(|receiver| receiver.order(Order::Listen));
    Ok(())
}

/// Publishing fails loudly; nobody who listens notices.
pub(super) async fn fill(drill: &mut Drill) -> anyhow::Result<()> {
    let company = drill.any_company();
    drill.site.redis.command::<String>(&["CONFIG", "SET", "maxmemory", "1"]).await?;
    let (told, _) = drill.sender.try_once(&company).await;
    sleep(drill.between_ms(300, 1_500)).await;
    drill.site.redis.command::<String>(&["CONFIG", "SET", "maxmemory", "0"]).await?;
    match told {
        Err(PublishError::Full(_)) => Ok(()),
        other => anyhow::bail!("a publish into a full Redis ended with {other:?}"),
    }
}

pub(super) async fn evict(drill: &mut Drill) -> anyhow::Result<()> {
    let set = async |name: &str, value: &str| {
        drill.site.redis.command::<String>(&["CONFIG", "SET", name, value]).await.map(drop)
    };
    set("maxmemory-policy", "allkeys-random").await?;
    set("maxmemory", "1").await?;
    sleep(Duration::from_millis(300)).await;
    set("maxmemory", "0").await?;
    set("maxmemory-policy", "noeviction").await
}
