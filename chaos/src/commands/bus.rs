//! What announcing costs a cluster: classic `PUBLISH`, which goes to every server, against sharded.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use redis::{
    AsyncConnectionConfig, Client, Pipeline, PushInfo, PushKind,
    aio::{ConnectionLike, MultiplexedConnection},
};
use shared::{CompanyId, keys};
use tokio::time::{MissedTickBehavior, interval};

use super::frame::Run;
use crate::{
    cli::BusArgs,
    defaults::PATIENCE,
    terminal::line,
    world::{Cluster, command, eventually},
};

/// An event of the catalog with its frame.
const PAYLOAD: usize = 300;

const TICK: Duration = Duration::from_millis(10);

/// What a server has counted so far.
#[derive(Clone, Copy, Default)]
struct Counts {
    commands: u64,
    bus_messages: u64,
    bus_bytes: u64,
    client_bytes: u64,
    cpu_ms: u64,
}

pub(crate) async fn bus(args: BusArgs) -> anyhow::Result<bool> {
    let run = Run::begin("bus", &args.common)?;
    let cluster = Cluster::start(&run.folder).await?;
    let mut companies: BTreeMap<SocketAddr, Vec<CompanyId>> = BTreeMap::new();
    let all: Result<Vec<_>, _> = (0..args.companies).map(|number| CompanyId::parse(&format!("c{number}"))).collect();
    let all = all?;
    for (company, primary) in all.iter().zip(cluster.primaries_of(&all).await?) {
        companies.entry(primary).or_default().push(company.clone());
    }
    let mut kept = true;
    for sharded in [false, true] {
        kept &= measure(&cluster, &companies, sharded, &args).await?;
    }
    Ok(kept)
}

async fn measure(
    cluster: &Cluster,
    companies: &BTreeMap<SocketAddr, Vec<CompanyId>>,
    sharded: bool,
    args: &BusArgs,
) -> anyhow::Result<bool> {
    let heard = Arc::new(AtomicU64::new(0));
    let mut ears = Vec::new();
    for listener in 0..args.listeners {
        for (primary, own) in companies {
            // Classic channels are heard on any server: each listener is on another.
            let server = if sharded { *primary } else { cluster.nodes[listener % cluster.nodes.len()].address() };
            ears.push(listen(server, own, sharded, heard.clone()).await?);
        }
    }
    let mut lines = BTreeMap::new();
    for primary in companies.keys() {
        let client = Client::open(format!("redis://{primary}/"))?;
        lines.insert(*primary, client.get_multiplexed_async_connection().await?);
    }
    let before = count(cluster).await?;
    let published = publish(&mut lines, companies, sharded, args).await?;
    let owed = published * args.listeners as u64;
    let complete = eventually("every listener has heard all", PATIENCE, async || {
        let heard = heard.load(Ordering::Relaxed);
        if heard >= owed { Ok(()) } else { Err(anyhow::anyhow!("{heard} of {owed}")) }
    })
    .await;
    let after = count(cluster).await?;
    let primaries = cluster.primaries().await?;
    line(format!(
        "{}: {published} events of {PAYLOAD} bytes, {} companies, {} listeners",
        if sharded { "SPUBLISH" } else { "PUBLISH" },
        args.companies,
        args.listeners
    ));
    line("  server    commands   bus messages   bus KiB sent   client KiB sent   CPU ms".to_owned());
    let mut total = Counts::default();
    for ((address, before), (_, after)) in before.iter().zip(&after) {
        let role = if primaries.contains_key(address) { "primary" } else { "replica" };
        let spent = after.since(before);
        line(spent.row(role));
        total = total.and(&spent);
    }
    line(total.row("all"));
    drop(ears);
    complete?;
    Ok(true)
}

async fn listen(
    server: SocketAddr,
    companies: &[CompanyId],
    sharded: bool,
    heard: Arc<AtomicU64>,
) -> anyhow::Result<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
        if matches!(push.kind, PushKind::Message | PushKind::SMessage) {
            heard.fetch_add(1, Ordering::Relaxed);
        }
        Ok::<_, ()>(())
    });
    let client = Client::open(format!("redis://{server}/?protocol=resp3"))?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut subscribe = Pipeline::new();
    for company in companies {
        subscribe.cmd(if sharded { "SSUBSCRIBE" } else { "SUBSCRIBE" }).arg(keys::channel(company));
    }
    connection.req_packed_commands(&subscribe, 0, companies.len()).await?;
    Ok(connection)
}

async fn publish(
    lines: &mut BTreeMap<SocketAddr, MultiplexedConnection>,
    companies: &BTreeMap<SocketAddr, Vec<CompanyId>>,
    sharded: bool,
    args: &BusArgs,
) -> anyhow::Result<u64> {
    let payload = "x".repeat(PAYLOAD);
    let turns: Vec<_> = companies.iter().flat_map(|(primary, own)| own.iter().map(|one| (*primary, one))).collect();
    let mut turn = turns.iter().cycle();
    let ticks_in_all = args.secs * 1_000 / TICK.as_millis() as u64;
    let per_tick = (u64::from(args.rate) * TICK.as_millis() as u64 / 1_000).max(1);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for _ in 0..ticks_in_all {
        ticks.tick().await;
        let mut pipelines: BTreeMap<SocketAddr, Pipeline> = BTreeMap::new();
        for _ in 0..per_tick {
            let (primary, company) = turn.next().context("no companies")?;
            let name = if sharded { "SPUBLISH" } else { "PUBLISH" };
            pipelines.entry(*primary).or_default().cmd(name).arg(keys::channel(company)).arg(&payload).ignore();
        }
        for (primary, pipeline) in pipelines {
            let line = lines.get_mut(&primary).context("no line to a primary")?;
            pipeline.query_async::<()>(line).await?;
        }
    }
    Ok(ticks_in_all * per_tick)
}

async fn count(cluster: &Cluster) -> anyhow::Result<Vec<(SocketAddr, Counts)>> {
    let mut all = Vec::new();
    for node in &cluster.nodes {
        let info: String = command(node.address(), &["INFO"]).await?;
        let cluster_info: String = command(node.address(), &["CLUSTER", "INFO"]).await?;
        let field = |text: &str, name: &str| -> f64 {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
        };
        let client_bytes = field(&info, "total_net_output_bytes") as u64;
        // All that it has written; nothing is written to disk meanwhile.
        let io = std::fs::read_to_string(format!("/proc/{}/io", field(&info, "process_id")))?;
        let written = field(&io.replace(": ", ":"), "wchar") as u64;
        let messages = ["publish", "publishshard"];
        let messages = messages.map(|kind| field(&cluster_info, &format!("cluster_stats_messages_{kind}_sent")));
        all.push((
            node.address(),
            Counts {
                commands: field(&info, "total_commands_processed") as u64,
                bus_messages: messages.iter().sum::<f64>() as u64,
                bus_bytes: written.saturating_sub(client_bytes),
                client_bytes,
                cpu_ms: ((field(&info, "used_cpu_user") + field(&info, "used_cpu_sys")) * 1_000.0) as u64,
            },
        ));
    }
    Ok(all)
}

impl Counts {
    fn since(&self, before: &Self) -> Self {
        Self {
            commands: self.commands - before.commands,
            bus_messages: self.bus_messages - before.bus_messages,
            bus_bytes: self.bus_bytes.saturating_sub(before.bus_bytes),
            client_bytes: self.client_bytes - before.client_bytes,
            cpu_ms: self.cpu_ms - before.cpu_ms,
        }
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            commands: self.commands + other.commands,
            bus_messages: self.bus_messages + other.bus_messages,
            bus_bytes: self.bus_bytes + other.bus_bytes,
            client_bytes: self.client_bytes + other.client_bytes,
            cpu_ms: self.cpu_ms + other.cpu_ms,
        }
    }

    fn row(&self, who: &str) -> String {
        format!(
            "  {who:<8} {:>9} {:>14} {:>14} {:>17} {:>8}",
            self.commands,
            self.bus_messages,
            self.bus_bytes / 1024,
            self.client_bytes / 1024,
            self.cpu_ms
        )
    }
}
