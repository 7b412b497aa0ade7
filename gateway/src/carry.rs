//! `gateway carry`: copies what is kept of all companies from one Redis into another, or into a cluster.
//!
//! For the move from one to the other while nobody publishes: with the logs go the event ids that are known and the
//! revocations, so that whoever comes back resumes, and whoever publishes again stores nothing twice.

use std::collections::HashMap;

use anyhow::{Context, Error, Result, ensure};
use publisher::{Endpoint, Node, Topology};
use redis::{AsyncConnectionConfig, Client, Pipeline, aio::MultiplexedConnection};
use secrecy::ExposeSecret;
use shared::{keys, slot};

use crate::{
    config::CarryConfig,
    defaults::{CARRY_PAGE, CARRY_TIMEOUT},
};

/// How many keys were copied.
///
/// # Errors
/// When either Redis does not answer or refuses. Copying again does no harm.
pub async fn carry(config: CarryConfig) -> Result<usize> {
    let tls = config.redis.tls()?;
    let to = config.redis.redis_url.as_ref().context("set GATEWAY_REDIS_URL to where they go")?;
    let from = Endpoint::parse(config.from.expose_secret()).map_err(Error::msg).context("--from")?;
    let to = Endpoint::with_tls(to.expose_secret(), &tls).map_err(Error::msg).context("GATEWAY_REDIS_URL")?;
    let mut source = connect(&from.client().await.context("--from")?).await.context("--from")?;
    let mut target = Target::open(&to).await.context("GATEWAY_REDIS_URL")?;
    let mut copied = 0;
    for pattern in [format!("{{{}*", keys::CHANNEL), keys::REVOCATIONS.to_owned()] {
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(CARRY_PAGE);
            let (next, names): (String, Vec<String>) = scan.query_async(&mut source).await.context("--from")?;
            copied += copy(&mut source, &mut target, &names).await?;
            cursor = next;
            if cursor == "0" {
                break;
            }
        }
    }
    Ok(copied)
}

async fn copy(source: &mut MultiplexedConnection, target: &mut Target, names: &[String]) -> Result<usize> {
    if names.is_empty() {
        return Ok(0);
    }
    let mut dump = Pipeline::new();
    for name in names {
        dump.cmd("DUMP").arg(name).cmd("PTTL").arg(name);
    }
    let dumped: Vec<redis::Value> = dump.query_async(source).await.context("--from")?;
    let mut restores: HashMap<Option<Node>, Pipeline> = HashMap::new();
    let mut copied = 0;
    for (name, dumped) in names.iter().zip(dumped.chunks(2)) {
        let (data, ttl): (Option<Vec<u8>>, i64) = redis::from_redis_value(redis::Value::Array(dumped.to_vec()))?;
        // One that has ended since.
        let Some(data) = data else { continue };
        let restore = restores.entry(target.place(name)?).or_default();
        restore.cmd("RESTORE").arg(name).arg(ttl.max(0)).arg(data).arg("REPLACE").ignore();
        copied += 1;
    }
    for (place, restore) in restores {
        let connection = target.connections.get_mut(&place).context("a server of the cluster is missing")?;
        restore.query_async::<()>(connection).await.context("GATEWAY_REDIS_URL")?;
    }
    Ok(copied)
}

/// Where they go.
struct Target {
    topology: Option<Topology>,
    /// By server; of one that is no cluster, by none.
    connections: HashMap<Option<Node>, MultiplexedConnection>,
}

impl Target {
    async fn open(endpoint: &Endpoint) -> Result<Self> {
        let mut connections = HashMap::new();
        let Some(cluster) = endpoint.cluster() else {
            connections.insert(None, connect(&endpoint.client().await?).await?);
            return Ok(Self { topology: None, connections });
        };
        let topology = cluster.topology(&[]).await?;
        for node in topology.primaries() {
            connections.insert(Some(node.clone()), connect(&cluster.client(node)?).await?);
        }
        ensure!(!connections.is_empty(), "the cluster has no servers");
        Ok(Self { topology: Some(topology), connections })
    }

    fn place(&self, name: &str) -> Result<Option<Node>> {
        let Some(topology) = &self.topology else { return Ok(None) };
        Ok(Some(topology.primary(slot(name)).context("nobody in the cluster serves a slot")?.clone()))
    }
}

async fn connect(client: &Client) -> Result<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(CARRY_TIMEOUT));
    Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
}
