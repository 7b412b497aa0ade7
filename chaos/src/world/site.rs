//! All processes of a run together.

use std::{net::SocketAddr, sync::Arc};

use super::{Cluster, Folder, Gateway, Metrics, Pace, Program, Proxy, Redis, Sentinels, haproxy::HaProxy};

/// What a run needs.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// How many gateways.
    pub(crate) gateways: usize,
    /// How many more the balancers know that do not run yet.
    pub(crate) spare: usize,
    /// How many balancers.
    pub(crate) balancers: usize,
    /// The gateways' pace.
    pub(crate) pace: Pace,
    /// The program that they run.
    pub(crate) program: Program,
    /// Whether sentinels watch over a master and a replica; then nobody talks to Redis through a proxy.
    pub(crate) sentinels: bool,
    /// Whether there is a cluster beside the one Redis; then everybody uses that.
    pub(crate) cluster: bool,
}

/// The processes of a run.
pub(crate) struct Site {
    /// Where logs go.
    pub(crate) folder: Arc<Folder>,
    /// The Redis, or the first master.
    pub(crate) redis: Redis,
    /// The other one, and who watches.
    pub(crate) guarded: Option<(Sentinels, Redis)>,
    /// The cluster.
    pub(crate) cluster: Option<Cluster>,
    /// The gateways.
    pub(crate) gateways: Vec<Gateway>,
    /// The line of each gateway to Redis.
    pub(crate) lines: Vec<Proxy>,
    /// The line of the publishers to Redis.
    pub(crate) publishers: Proxy,
    /// The line of some receivers to HAProxy.
    pub(crate) receivers: Proxy,
    /// The program that gateways are started with.
    pub(crate) program: Program,
    balancers: Vec<HaProxy>,
}

impl Site {
    /// Starts everything and waits until it is ready.
    pub(crate) async fn start(folder: &Arc<Folder>, layout: &Layout) -> anyhow::Result<Self> {
        // Gateways have a user of their own, so that its rights can be taken away.
        let user = ["--user", "gateway", "on", ">gateway", "~*", "&*", "+@all"];
        let redis = Redis::start(folder, "redis", &user).await?;
        let guarded = if layout.sentinels { Some(Sentinels::start(folder, &redis).await?) } else { None };
        let cluster = if layout.cluster { Some(Cluster::start(folder).await?) } else { None };
        let (mut gateways, mut lines) = (Vec::new(), Vec::new());
        for number in 0..layout.gateways + layout.spare {
            let line = Proxy::start(redis.address()).await?;
            let url = match (&guarded, &cluster) {
                (Some((sentinels, _)), _) => sentinels.url(),
                (None, Some(cluster)) => cluster.url(),
                (None, None) => format!("redis://gateway:gateway@{}/", line.address()),
            };
            gateways.push(Gateway::new(folder, &format!("gateway{number}"), url, layout.pace.clone())?);
            lines.push(line);
        }
        for gateway in gateways.iter_mut().take(layout.gateways) {
            gateway.launch(&layout.program).await?;
        }
        let mut balancers = Vec::new();
        for number in 0..layout.balancers {
            balancers.push(HaProxy::start(folder, number, &gateways).await?);
        }
        let publishers = Proxy::start(redis.address()).await?;
        let receivers = Proxy::start(balancers[0].address()).await?;
        let program = layout.program.clone();
        Ok(Self {
            folder: folder.clone(),
            redis,
            guarded,
            cluster,
            gateways,
            lines,
            publishers,
            receivers,
            program,
            balancers,
        })
    }

    /// Where clients go.
    pub(crate) fn public(&self) -> SocketAddr {
        self.public_of(0)
    }

    /// Where this one of many clients goes.
    pub(crate) fn public_of(&self, number: usize) -> SocketAddr {
        self.balancers[number % self.balancers.len()].address()
    }

    /// Where publishers find Redis.
    pub(crate) fn publisher_url(&self) -> String {
        match (&self.guarded, &self.cluster) {
            (Some((sentinels, _)), _) => sentinels.url(),
            (None, Some(cluster)) => cluster.url(),
            (None, None) => format!("redis://{}/", self.publishers.address()),
        }
    }

    /// The metrics of all gateways that run, added up.
    pub(crate) async fn metrics(&self) -> anyhow::Result<Metrics> {
        let mut all = Metrics::default();
        for gateway in self.gateways.iter().filter(|gateway| gateway.is_running()) {
            all.add(gateway.metrics().await?);
        }
        Ok(all)
    }

    /// Starts the gateways that do not run.
    pub(crate) async fn relaunch(&mut self) -> anyhow::Result<()> {
        for gateway in self.gateways.iter_mut().filter(|gateway| !gateway.is_running()) {
            gateway.launch(&self.program).await?;
        }
        Ok(())
    }
}
