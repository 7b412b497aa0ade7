//! Proof that the link delivers: the replica publishes to a channel of its own and expects to hear it. A connection can
//! be up and deaf, after a failover for example, and nothing else would tell.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use redis::{AsyncCommands, aio::MultiplexedConnection};
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
    channel: String,
    sent: u64,
    misses: u32,
    heard: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
    shard: usize,
    /// Without the right to publish there is nothing to hear.
    allowed: bool,
}

/// The end that hears.
#[derive(Clone)]
pub(super) struct Ear {
    channel: String,
    heard: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
    shard: usize,
}

impl Probe {
    pub(super) fn new(metrics: Arc<Metrics>, shard: usize) -> Self {
        let channel = format!("{PREFIX}{:016x}", rand::random::<u64>());
        Self { channel, sent: 0, misses: 0, heard: Arc::default(), metrics, shard, allowed: true }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// Without the right to its channel the link goes on unproven; the log says so.
    pub(super) fn give_up(&mut self, reason: &str) {
        warn!(reason, "the link to Redis is not probed; the gateway's user needs +publish and &gateway:*");
        self.allowed = false;
    }

    pub(super) fn ear(&self) -> Ear {
        Ear {
            channel: self.channel.clone(),
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
        if !self.allowed {
            let ping = redis::cmd("PING").query_async::<()>(commands).await;
            return ping.map_err(|error| format!("PING: {error}"));
        }
        self.misses = if self.heard.load(Ordering::Acquire) < self.sent { self.misses + 1 } else { 0 };
        if self.misses >= PROBE_MISSES {
            return Err(format!("{PROBE_MISSES} probes in a row were not heard"));
        }
        self.sent += 1;
        // No answer is a miss like any other; the next beat judges it.
        match timeout(PROBE_INTERVAL, commands.publish::<_, _, u64>(&self.channel, self.sent)).await {
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
        if channel != self.channel {
            return false;
        }
        if let Some(number) = std::str::from_utf8(payload).ok().and_then(|text| text.parse().ok()) {
            self.heard.fetch_max(number, Ordering::AcqRel);
            self.metrics.shards.probe_heard(self.shard);
        }
        true
    }
}
