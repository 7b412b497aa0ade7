//! Proof that the link delivers: the replica publishes to a channel of its own and expects to hear it. A connection can
//! be up and deaf, after a failover for example, and nothing else would tell. On a shard it is a shard channel, in the slot of
//! a company that is heard there: a plain one would go to every server of the cluster.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use redis::aio::MultiplexedConnection;
use shared::{CompanyId, keys};
use tokio::time::timeout;
use tracing::warn;

use crate::{
    defaults::{PROBE_INTERVAL, PROBE_MISSES},
    metrics::Metrics,
};

/// The channel prefix; `gateway:` is what the gateway keeps for itself.
const PREFIX: &str = "gateway:probe:";

/// What was sent and heard over one link.
pub(super) struct Probe {
    name: String,
    /// Where it is sent; nowhere on a shard without companies.
    channel: Option<String>,
    /// The company whose slot that is.
    neighbour: Option<CompanyId>,
    sent: u64,
    misses: u32,
    /// When the last one was sent.
    sent_at: Arc<Mutex<Instant>>,
    heard: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
    shard: usize,
    /// Without the right to publish there is nothing to hear.
    allowed: bool,
}

/// The end that hears.
#[derive(Clone)]
pub(super) struct Ear {
    name: String,
    /// When the last one was sent.
    sent_at: Arc<Mutex<Instant>>,
    heard: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
    shard: usize,
}

impl Probe {
    pub(super) fn new(metrics: Arc<Metrics>, shard: usize) -> Self {
        let name = format!("{PREFIX}{:016x}", rand::random::<u64>());
        Self {
            name,
            channel: None,
            neighbour: None,
            sent: 0,
            sent_at: Arc::new(Mutex::new(Instant::now())),
            misses: 0,
            heard: Arc::default(),
            metrics,
            shard,
            allowed: true,
        }
    }

    /// Begins on a channel of its own name.
    pub(super) fn begin(&mut self) -> &str {
        self.channel.insert(self.name.clone())
    }

    /// Goes where one of these companies is, unless it is there; the channels that it has left and come to, if any.
    pub(super) fn follow(&mut self, companies: &HashSet<CompanyId>) -> Option<(Option<String>, Option<String>)> {
        if self.neighbour.as_ref().is_some_and(|company| companies.contains(company)) {
            return None;
        }
        self.neighbour = companies.iter().next().cloned();
        let channel = self.neighbour.as_ref().map(|company| format!("{}{{{}}}", self.name, keys::channel(company)));
        let left = std::mem::replace(&mut self.channel, channel);
        // What was sent there is not missed.
        self.heard.fetch_max(self.sent, Ordering::AcqRel);
        (left.is_some() || self.channel.is_some()).then(|| (left, self.channel.clone()))
    }

    /// Without the right to its channel the link goes on unproven; the log says so.
    pub(super) fn give_up(&mut self, reason: &str) {
        warn!(reason, "the link to Redis is not probed; the gateway's user needs +publish and &gateway:*");
        self.allowed = false;
    }

    pub(super) fn ear(&self) -> Ear {
        Ear {
            name: self.name.clone(),
            sent_at: self.sent_at.clone(),
            heard: self.heard.clone(),
            metrics: self.metrics.clone(),
            shard: self.shard,
        }
    }

    /// Judges the last probe and sends the next.
    ///
    /// # Errors
    /// When the link is deaf or does not answer.
    pub(super) async fn beat(&mut self, commands: &mut MultiplexedConnection) -> Result<(), String> {
        let Some(channel) = self.channel.as_ref().filter(|_| self.allowed) else {
            redis::cmd("PING").query_async::<()>(commands).await.map_err(|error| format!("PING: {error}"))?;
            if self.channel.is_none() {
                // There is nothing to be heard.
                self.metrics.shards.probe_heard(self.shard);
            }
            return Ok(());
        };
        self.misses = if self.heard.load(Ordering::Acquire) < self.sent { self.misses + 1 } else { 0 };
        if self.misses >= PROBE_MISSES {
            return Err(format!("{PROBE_MISSES} probes in a row were not heard"));
        }
        self.sent += 1;
        *self.sent_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let mut publish = redis::cmd(if self.neighbour.is_some() { "SPUBLISH" } else { "PUBLISH" });
        publish.arg(channel).arg(self.sent);
        // No answer is a miss like any other; the next beat judges it.
        match timeout(PROBE_INTERVAL, publish.query_async::<u64>(commands)).await {
            Ok(Err(error)) if error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoPerm) => {
                self.give_up("PUBLISH is not allowed");
                Ok(())
            }
            Ok(Err(error)) if error.is_unrecoverable_error() => Err(format!("PUBLISH: {error}")),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl Ear {
    /// Takes a message if it is a probe.
    pub(super) fn hear(&self, channel: &str, payload: &[u8]) -> bool {
        if !channel.starts_with(&self.name) {
            return false;
        }
        if let Some(number) = std::str::from_utf8(payload).ok().and_then(|text| text.parse().ok()) {
            // An earlier one's way is counted short, but a probe is missed long before it takes that long.
            let sent_at = *self.sent_at.lock().unwrap_or_else(PoisonError::into_inner);
            self.metrics.probe.observe(sent_at.elapsed().as_secs_f64());
            self.heard.fetch_max(number, Ordering::AcqRel);
            self.metrics.shards.probe_heard(self.shard);
        }
        true
    }
}
