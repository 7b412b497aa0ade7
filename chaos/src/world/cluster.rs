//! A Redis Cluster: three primaries, a replica of each, and what an operator does to it.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use redis::{Value, from_redis_value};
use shared::{CompanyId, keys, slot};

use super::{Folder, Redis, child::Start, command, eventually, ports};
use crate::defaults::PATIENCE;

/// What every server of it is started with. Shards that are well go on serving while another is down. Processes die here,
/// not machines: what is written is kept, and seven servers that wait for one disk would measure that.
const SETTINGS: [&str; 8] = [
    "--appendfsync",
    "everysec",
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "2000",
    "--cluster-require-full-coverage",
    "no",
];

/// What `redis-cli` may take for moving slots.
const OPERATION: Duration = Duration::from_secs(80);

/// The servers of a cluster.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Redis>,
    folder: Arc<Folder>,
}

impl Cluster {
    pub(crate) async fn start(folder: &Arc<Folder>) -> anyhow::Result<Self> {
        let mut cluster = Self { nodes: vec![], folder: folder.clone() };
        for _ in 0..6 {
            cluster.begin_node().await?;
        }
        let mut words = vec!["create".to_owned()];
        words.extend(cluster.nodes.iter().map(|node| node.address().to_string()));
        words.extend(["--cluster-replicas".into(), "1".into(), "--cluster-yes".into()]);
        cluster.operate(words).await?;
        cluster.settled().await?;
        Ok(cluster)
    }

    async fn begin_node(&mut self) -> anyhow::Result<()> {
        let bus = ports::free().to_string();
        let settings = [&SETTINGS[..], &["--cluster-port", &bus]].concat();
        self.nodes.push(Redis::start(&self.folder, "node", &settings).await?);
        Ok(())
    }

    /// `redis+cluster://host:port,host:port,host:port`.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().take(3).map(|node| node.address().to_string()).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    pub(crate) fn node(&mut self, address: SocketAddr) -> anyhow::Result<&mut Redis> {
        self.nodes.iter_mut().find(|node| node.address() == address).context("no such server in the cluster")
    }

    /// Who serves how many slots, as the first that answers knows it.
    pub(crate) async fn primaries(&self) -> anyhow::Result<BTreeMap<SocketAddr, u16>> {
        let mut primaries = BTreeMap::new();
        for (first, last, address) in self.ranges().await? {
            *primaries.entry(address).or_default() += last - first + 1;
        }
        Ok(primaries)
    }

    /// Who serves a company.
    pub(crate) async fn primary_of(&self, company: &CompanyId) -> anyhow::Result<SocketAddr> {
        let primaries = self.primaries_of(std::slice::from_ref(company)).await?;
        primaries.first().copied().context("nobody serves the company")
    }

    /// Who serves each of these companies.
    pub(crate) async fn primaries_of(&self, companies: &[CompanyId]) -> anyhow::Result<Vec<SocketAddr>> {
        let ranges = self.ranges().await?;
        let primary = |company: &CompanyId| {
            let slot = slot(&keys::channel(company));
            let range = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
            range.map(|(.., address)| *address).context("nobody serves the company")
        };
        companies.iter().map(primary).collect()
    }

    async fn ranges(&self) -> anyhow::Result<Vec<(u16, u16, SocketAddr)>> {
        for node in self.nodes.iter().filter(|node| node.is_awake()) {
            let Ok(ranges) = command::<Vec<Vec<Value>>>(node.address(), &["CLUSTER", "SLOTS"]).await else { continue };
            return ranges.into_iter().map(range).collect();
        }
        anyhow::bail!("no server of the cluster answers")
    }

    /// The replicas of a primary.
    pub(crate) async fn replicas_of(&self, primary: SocketAddr) -> anyhow::Result<Vec<SocketAddr>> {
        let id: String = command(primary, &["CLUSTER", "MYID"]).await?;
        let replicas: Vec<String> = command(primary, &["CLUSTER", "REPLICAS", &id]).await?;
        let address = |line: &String| line.split([' ', '@']).nth(1)?.parse().ok();
        replicas.iter().map(|line| address(line).context("CLUSTER REPLICAS makes no sense")).collect()
    }

    /// Waits until all see the same, and each replica is in step: one that is not could not be promoted.
    pub(crate) async fn settled(&self) -> anyhow::Result<()> {
        eventually("the cluster is settled", PATIENCE * 2, async || {
            let mut seen: Option<String> = None;
            for node in &self.nodes {
                let info: String = node.command(&["CLUSTER", "INFO"]).await?;
                anyhow::ensure!(info.contains("cluster_state:ok"), "{} sees a broken cluster", node.address());
                let replication: String = node.command(&["INFO", "replication"]).await?;
                let in_step = replication.contains("role:master") || replication.contains("master_link_status:up");
                anyhow::ensure!(in_step, "{} is not in step", node.address());
                let epoch = info.lines().find(|line| line.starts_with("cluster_current_epoch")).map(str::to_owned);
                anyhow::ensure!(seen.is_none() || seen == epoch, "{} is behind", node.address());
                seen = epoch;
            }
            Ok(())
        })
        .await
    }

    /// Moves slots, with their logs, under whatever load there is.
    pub(crate) async fn reshard(&self, from: SocketAddr, to: SocketAddr, slots: u16) -> anyhow::Result<()> {
        let id = async |of| command::<String>(of, &["CLUSTER", "MYID"]).await;
        let words = [
            "reshard".to_owned(),
            from.to_string(),
            "--cluster-from".into(),
            id(from).await?,
            "--cluster-to".into(),
            id(to).await?,
            "--cluster-slots".into(),
            slots.to_string(),
            "--cluster-pipeline".into(),
            "100".into(),
            "--cluster-yes".into(),
        ];
        self.operate(words).await
    }

    /// Starts another server and has it join, without slots.
    pub(crate) async fn add(&mut self) -> anyhow::Result<SocketAddr> {
        self.begin_node().await?;
        let new = self.nodes.last().context("it was just started")?.address();
        let words = ["add-node".to_owned(), new.to_string(), self.nodes[0].address().to_string()];
        self.operate(words).await?;
        self.settled().await?;
        Ok(new)
    }

    async fn operate(&self, words: impl IntoIterator<Item = String>) -> anyhow::Result<()> {
        let log = self.folder.append("redis-cli.log")?;
        let mut child = Start::of("redis-cli", "redis-cli").args(["--cluster"]).args(words).log_to(log)?;
        let status = child.exit(OPERATION).await?;
        anyhow::ensure!(status.success(), "redis-cli failed, see redis-cli.log");
        Ok(())
    }
}

fn range(range: Vec<Value>) -> anyhow::Result<(u16, u16, SocketAddr)> {
    let mut parts = range.into_iter();
    let mut next = || parts.next().context("CLUSTER SLOTS makes no sense");
    let (first, last): (u16, u16) = (from_redis_value(next()?)?, from_redis_value(next()?)?);
    let Value::Array(primary) = next()? else { anyhow::bail!("CLUSTER SLOTS makes no sense") };
    let host: String = from_redis_value(primary[0].clone())?;
    let port: u16 = from_redis_value(primary[1].clone())?;
    Ok((first, last, SocketAddr::new(host.parse()?, port)))
}
