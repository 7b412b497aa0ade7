//! A Redis Cluster: slots that move, servers that join, a shard that is away, a primary that dies.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use anyhow::Context;
use shared::CompanyId;
use tokio::time::sleep;

use super::sentinel::note_the_gone;
use crate::{
    defaults::PATIENCE,
    drill::Drill,
    receiver::Progress,
    world::{Cluster, eventually},
};

/// Slots that are moved at once: some thirty of three hundred companies.
const SLOTS: u16 = 1_500;

/// How long a shard is away.
const AWAY: Duration = Duration::from_secs(20);

fn cluster(drill: &mut Drill) -> anyhow::Result<&mut Cluster> {
    drill.site.cluster.as_mut().context("no cluster")
}

/// The most burdened primary and the least.
async fn most_and_least(drill: &mut Drill) -> anyhow::Result<(SocketAddr, SocketAddr)> {
    let primaries = cluster(drill)?.primaries().await?;
    let most = primaries.iter().max_by_key(|(_, slots)| **slots).context("no primary")?;
    let least = primaries.iter().min_by_key(|(_, slots)| **slots).context("no primary")?;
    anyhow::ensure!(most.0 != least.0, "a cluster of one");
    Ok((*most.0, *least.0))
}

pub(super) async fn reshard(drill: &mut Drill) -> anyhow::Result<()> {
    let (from, to) = most_and_least(drill).await?;
    cluster(drill)?.reshard(from, to, SLOTS).await?;
    cluster(drill)?.settled().await
}

pub(super) async fn add_node(drill: &mut Drill) -> anyhow::Result<()> {
    let (from, _) = most_and_least(drill).await?;
    let new = cluster(drill)?.add().await?;
    cluster(drill)?.reshard(from, new, SLOTS).await?;
    cluster(drill)?.settled().await
}

/// Primary and replica, so that nobody is promoted; the other shards' sessions must not notice.
pub(super) async fn pause_shard(drill: &mut Drill) -> anyhow::Result<()> {
    let (struck, spared) = strike(drill).await?;
    let mut servers = cluster(drill)?.replicas_of(struck).await?;
    servers.push(struck);
    for server in &servers {
        cluster(drill)?.node(*server)?.pause()?;
    }
    sleep(AWAY).await;
    for server in &servers {
        cluster(drill)?.node(*server)?.unpause()?;
    }
    drill.heal().await;
    spared.expect_untouched(drill)?;
    cluster(drill)?.settled().await
}

pub(super) async fn kill_primary(drill: &mut Drill) -> anyhow::Result<()> {
    let outcome = lose_primary(drill, async |drill, struck| cluster(drill)?.node(struck)?.kill().await).await;
    // Also where a promise was broken: the faults that follow are to find a whole cluster.
    let dead: Vec<_> = cluster(drill)?.nodes.iter_mut().filter(|node| !node.is_awake()).collect();
    for node in dead {
        node.launch(&[]).await?;
    }
    cluster(drill)?.settled().await?;
    outcome
}

/// The replica is promoted meanwhile; then the old primary comes back and does not know.
pub(super) async fn pause_primary(drill: &mut Drill) -> anyhow::Result<()> {
    let outcome = lose_primary(drill, async |drill, struck| {
        cluster(drill)?.node(struck)?.pause()?;
        sleep(AWAY).await;
        cluster(drill)?.node(struck)?.unpause()
    })
    .await;
    cluster(drill)?.settled().await?;
    outcome
}

async fn lose_primary(
    drill: &mut Drill,
    lose: impl AsyncFnOnce(&mut Drill, SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (struck, spared) = strike(drill).await?;
    let began = drill.site.folder.now_ms();
    lose(drill, struck).await?;
    let company = spared.others(drill).next().context("nobody is struck")?.clone();
    let promoted = eventually("the replica is promoted", PATIENCE * 2, async || {
        let now = drill.site.cluster.as_ref().context("no cluster")?.primary_of(&company).await?;
        anyhow::ensure!(now != struck, "it is still {now}");
        Ok::<_, anyhow::Error>(now)
    })
    .await?;
    drill.heal().await;
    spared.expect_untouched(drill)?;
    let companies: Vec<_> = spared.others(drill).cloned().collect();
    note_the_gone(drill, &companies, promoted, began).await
}

/// Who must not notice a fault.
struct Spared {
    companies: HashSet<CompanyId>,
    before: Vec<Progress>,
}

/// Chooses a primary that has companies and a replica that is in step.
async fn strike(drill: &mut Drill) -> anyhow::Result<(SocketAddr, Spared)> {
    cluster(drill)?.settled().await?;
    let mut candidates = Vec::new();
    for primary in cluster(drill)?.primaries().await?.into_keys() {
        if !cluster(drill)?.replicas_of(primary).await?.is_empty() {
            candidates.push(primary);
        }
    }
    let struck = candidates[drill.below(candidates.len())];
    let companies = drill.companies.clone();
    let primaries = cluster(drill)?.primaries_of(&companies).await?;
    let spared = companies.into_iter().zip(primaries).filter(|(_, primary)| *primary != struck);
    let companies: HashSet<_> = spared.map(|(company, _)| company).collect();
    let before = drill.receivers.iter().map(|receiver| receiver.progress()).collect();
    Ok((struck, Spared { companies, before }))
}

impl Spared {
    /// The companies that are struck.
    fn others<'a>(&'a self, drill: &'a Drill) -> impl Iterator<Item = &'a CompanyId> {
        drill.companies.iter().filter(|company| !self.companies.contains(*company))
    }

    fn expect_untouched(&self, drill: &Drill) -> anyhow::Result<()> {
        let spared = drill.receivers.iter().zip(&self.before);
        let spared = spared.filter(|(receiver, _)| self.companies.contains(&receiver.company));
        let touched: Vec<_> = spared
            .map(|(receiver, before)| (receiver, receiver.progress(), before))
            .filter(|(_, now, before)| now.was_touched_since(before))
            .collect();
        let Some((example, ..)) = touched.first() else { return Ok(()) };
        let sum = |of: fn(&Progress) -> u32| touched.iter().map(|(_, now, before)| of(now) - of(before)).sum::<u32>();
        anyhow::bail!(
            "{} sessions of other shards noticed, such as {}: {} times cut, {} degraded, {} told of a loss",
            touched.len(),
            example.name(),
            sum(|progress| progress.cuts),
            sum(|progress| progress.degraded),
            sum(|progress| progress.jumps)
        )
    }
}
