//! Asking a Redis Cluster which primary serves which slot.

use std::{io, sync::Arc};

use deadpool_redis::redis::{
    Client, ConnectionAddr, ConnectionInfo, FromRedisValue, RedisError, RedisResult, TlsCertificates, Value,
    from_redis_value, pipe,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{sleep, timeout};

use super::{Topology, connection_config, tcp_settings, topology::Range};
use crate::defaults;

/// A server of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// A cluster, and how to talk to each of its servers.
#[derive(Clone)]
pub struct Cluster {
    /// Those that the URL names, to be asked first.
    pub(super) seeds: Arc<[Node]>,
    /// User, password, and whether TLS is spoken: the same everywhere.
    pub(super) server: ConnectionInfo,
    pub(super) certificates: Option<TlsCertificates>,
}

/// What one of them says.
struct Answer {
    ranges: Vec<Range>,
    /// It sees a majority of the primaries.
    healthy: bool,
    /// Rises with each promotion and each slot that was moved.
    epoch: u64,
}

impl Cluster {
    /// A client of one server.
    ///
    /// # Errors
    /// When the driver refuses the address.
    pub fn client(&self, node: &Node) -> RedisResult<Client> {
        let addr = match self.server.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host: node.host.clone(),
                port: node.port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(node.host.clone(), node.port),
        };
        let server = self.server.clone().set_addr(addr).set_tcp_settings(tcp_settings());
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(server, certificates.clone()),
            None => Client::open(server),
        }
    }

    /// The first server of the URL.
    pub(super) fn any(&self) -> RedisResult<Client> {
        self.client(&self.seeds[0])
    }

    /// Which primary serves which slot, as the servers of the URL and those in `known` have it.
    ///
    /// All are asked at once; as soon as half of them have answered, or some have and a while has passed, whoever knows the
    /// newest configuration is believed: one that is paused or cut off holds nobody up.
    ///
    /// # Errors
    /// When nobody answers, or nobody knows of any primary.
    pub async fn topology(&self, known: &[Node]) -> RedisResult<Topology> {
        let mut nodes: Vec<&Node> = self.seeds.iter().chain(known).collect();
        nodes.sort();
        nodes.dedup();
        let enough = nodes.len().div_ceil(2);
        let mut asked: FuturesUnordered<_> = nodes.into_iter().map(|node| self.ask(node)).collect();
        let mut patience = std::pin::pin!(sleep(defaults::SENTINEL_PATIENCE));
        let (mut answers, mut failure) = (Vec::new(), None::<RedisError>);
        while answers.len() < enough {
            tokio::select! {
                answer = asked.next() => match answer {
                    Some(Ok(answer)) => answers.push(answer),
                    Some(Err(error)) => failure = Some(error),
                    None => break,
                },
                () = &mut patience, if !answers.is_empty() => break,
            }
        }
        // One that has just joined may have the newest epoch and not have heard of all slots yet.
        let newest = answers.into_iter().max_by_key(|answer| (answer.healthy, answer.slots(), answer.epoch));
        match newest {
            Some(answer) if !answer.ranges.is_empty() => Ok(Topology::new(answer.ranges)),
            Some(_) => Err(io::Error::other("the cluster serves no slot").into()),
            None => Err(failure.unwrap_or_else(|| io::Error::other("no server of the cluster answers").into())),
        }
    }

    async fn ask(&self, node: &Node) -> RedisResult<Answer> {
        let question = async {
            let client = self.client(node)?;
            let mut connection = client.get_multiplexed_async_connection_with_config(&connection_config()).await?;
            let mut questions = pipe();
            questions.cmd("CLUSTER").arg("INFO").cmd("CLUSTER").arg("SLOTS");
            let (info, slots): (String, Vec<Vec<Value>>) = questions.query_async(&mut connection).await?;
            let ranges = slots.into_iter().map(|range| self::range(range, &node.host)).collect::<RedisResult<_>>()?;
            let field = |name| info.lines().find_map(|line| line.strip_prefix(name));
            let epoch = field("cluster_current_epoch:").and_then(|epoch| epoch.parse().ok());
            Ok(Answer { ranges, healthy: field("cluster_state:") == Some("ok"), epoch: epoch.unwrap_or(0) })
        };
        let late = |_| RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
        timeout(defaults::SENTINEL_TIMEOUT, question).await.map_err(late)?
    }
}

impl Answer {
    /// How many slots it knows a primary for.
    fn slots(&self) -> usize {
        self.ranges.iter().map(|range| usize::from(range.last.saturating_sub(range.first)) + 1).sum()
    }
}

/// Reads `first, last, [host, port, ...], replicas...`. A server that was never told its own name has an empty one; then
/// it is where it was asked.
fn range(range: Vec<Value>, asked: &str) -> RedisResult<Range> {
    let nonsense = || RedisError::from(io::Error::new(io::ErrorKind::InvalidData, "CLUSTER SLOTS makes no sense"));
    let mut parts = range.into_iter();
    let (first, last) = (number(parts.next(), nonsense)?, number(parts.next(), nonsense)?);
    let Some(Value::Array(primary)) = parts.next() else { return Err(nonsense()) };
    let mut primary = primary.into_iter();
    let host: Option<String> = from_redis_value(primary.next().ok_or_else(nonsense)?)?;
    let host = host.filter(|host| !host.is_empty() && host != "?").unwrap_or_else(|| asked.to_owned());
    Ok(Range { first, last, primary: Node { host, port: number(primary.next(), nonsense)? } })
}

fn number<T: FromRedisValue>(value: Option<Value>, nonsense: impl Fn() -> RedisError) -> RedisResult<T> {
    Ok(from_redis_value(value.ok_or_else(nonsense)?)?)
}
