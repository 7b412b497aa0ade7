//! The revocations that Redis keeps for all replicas: heard as they are announced, and read whole whenever one may have
//! been missed.
//!
//! What Redis has lost (a failover, a wipe) and this replica still knows is written back, so that replicas which start
//! later know it too.

use std::sync::Arc;

use publisher::Publisher;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, aio::MultiplexedConnection};
use shared::{Revocation, keys};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::{
    auth::Revocations,
    defaults::{
        MAX_REVOCATIONS, READ_RETRY, REDIS_CONNECT_TIMEOUT, REDIS_RESPONSE_TIMEOUT, REVOCATIONS_PAGE,
        REVOCATIONS_REREAD,
    },
    metrics::Metrics,
};

/// The way between Redis' revocations and this replica's.
pub(super) struct Ledger {
    revocations: Arc<Revocations>,
    publisher: Publisher,
    metrics: Arc<Metrics>,
    /// To be read again at once.
    again: Notify,
    /// They have been read since the start.
    known: watch::Sender<bool>,
}

impl Ledger {
    pub(super) fn new(revocations: Arc<Revocations>, publisher: Publisher, metrics: Arc<Metrics>) -> Self {
        Self { revocations, publisher, metrics, again: Notify::new(), known: watch::Sender::new(false) }
    }

    /// Takes a message if it is a revocation.
    pub(super) fn hear(&self, channel: &str, payload: &[u8]) -> bool {
        if channel != keys::REVOCATIONS {
            return false;
        }
        match serde_json::from_slice::<Revocation>(payload) {
            Ok(revocation) => self.revocations.add([revocation]),
            Err(_) => self.metrics.dropped("malformed"),
        }
        true
    }

    /// From here on every announcement is heard, so that what is read now leaves no hole.
    pub(super) fn subscribed(&self) {
        self.again.notify_one();
    }

    /// Reads all of them, over a link that is about to be used.
    ///
    /// # Errors
    /// When the link does not work. Without the right to read them it goes on; the log says so.
    pub(super) async fn open(&self, commands: &mut MultiplexedConnection) -> Result<(), String> {
        match timeout(REDIS_RESPONSE_TIMEOUT, self.read(commands)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if is_forbidden(&error) => {
                warn!("revocations cannot be read; the gateway's user needs +zrevrange and ~gateway:*");
                Ok(())
            }
            Ok(Err(error)) => Err(format!("ZREVRANGE: {error}")),
            Err(_) => Err("ZREVRANGE: no answer in time".into()),
        }
    }

    /// Waits until they have been read once, or cannot be for now: other shards' sessions are not to wait for long.
    pub(super) async fn known(&self) {
        let mut known = self.known.subscribe();
        let _late = timeout(REDIS_CONNECT_TIMEOUT, known.wait_for(|known| *known)).await;
    }

    /// Reads again and again, over whatever `commands` gives, for as long as this is polled.
    pub(super) async fn follow(&self, commands: impl Fn() -> Option<MultiplexedConnection>) -> String {
        loop {
            let Some(mut commands) = commands() else {
                sleep(READ_RETRY.0).await;
                continue;
            };
            let pause = match self.read(&mut commands).await {
                Ok(known) => {
                    self.write_back(&known).await;
                    REVOCATIONS_REREAD
                }
                Err(error) => {
                    debug!(%error, "cannot read the revocations");
                    if is_forbidden(&error) { REVOCATIONS_REREAD } else { READ_RETRY.1 }
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.again.notified() => {}
            }
        }
    }

    /// Those that end last come first: what ends meanwhile does not move the others to a page that was read already.
    async fn read(&self, commands: &mut MultiplexedConnection) -> RedisResult<Vec<Revocation>> {
        let mut known = Vec::new();
        let mut start = 0;
        loop {
            let page = (keys::REVOCATIONS, start, start + REVOCATIONS_PAGE - 1);
            let texts: Vec<Vec<u8>> = redis::cmd("ZREVRANGE").arg(page).query_async(commands).await?;
            let page: Vec<Revocation> = texts.iter().filter_map(|text| serde_json::from_slice(text).ok()).collect();
            self.revocations.add(page.iter().cloned());
            known.extend(page);
            start += REVOCATIONS_PAGE;
            if texts.len() < REVOCATIONS_PAGE as usize || start as usize >= MAX_REVOCATIONS {
                break;
            }
        }
        self.revocations.sweep();
        self.known.send_replace(true);
        Ok(known)
    }

    async fn write_back(&self, known: &[Revocation]) {
        let missing = self.revocations.beyond(known);
        for revocation in &missing {
            if let Err(error) = self.publisher.keep_revocation(revocation).await {
                return warn!(%error, count = missing.len(), "Redis has lost revocations, and does not take them back");
            }
        }
        if !missing.is_empty() {
            info!(count = missing.len(), "gave Redis the revocations back that it had lost");
        }
    }
}

fn is_forbidden(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}
