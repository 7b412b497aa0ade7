//! The backplane of many replicas.
//!
//! [`link`] keeps one subscriber connection and one command connection alive, for ever; [`history`] reads logs over the
//! latter. Publishing goes through the `publisher` crate, which has connections of its own.

use std::sync::{Arc, RwLock};

use anyhow::{Context, Result};
use futures_util::future::BoxFuture;
use publisher::{PublishError, Published, Publisher};
use redis::{Client, IntoConnectionInfo, aio::MultiplexedConnection, io::tcp::TcpSettings};
use secrecy::{ExposeSecret, SecretString};
use shared::{CompanyId, Cursor, Envelope};
use tokio::sync::Semaphore;

use super::{Backplane, Interests, LogSlice, ReadError, SignalSender};
use crate::{
    defaults::{CONCURRENT_READS, PAGE},
    metrics::Metrics,
};

mod history;
mod link;

/// One Redis, shared by all replicas.
pub struct Redis {
    publisher: Publisher,
    /// The link's command connection while it is up.
    commands: Arc<RwLock<Option<MultiplexedConnection>>>,
    reads: Semaphore,
    interests: Arc<Interests>,
    metrics: Arc<Metrics>,
}

impl Redis {
    /// Starts the link; Redis need not be there yet. Must be called within a runtime.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn start(url: &SecretString, signals: SignalSender, metrics: Arc<Metrics>) -> Result<Arc<Self>> {
        let info = url.expose_secret().into_connection_info().context("GATEWAY_REDIS_URL is malformed")?;
        let client = Client::open(info.set_tcp_settings(tcp_settings())).context("GATEWAY_REDIS_URL is malformed")?;
        let publisher = Publisher::connect(url.expose_secret()).context("GATEWAY_REDIS_URL is malformed")?;
        let interests = Arc::new(Interests::default());
        let commands = Arc::new(RwLock::new(None));
        let link = link::Link::new(client, signals, commands.clone(), interests.clone(), metrics.clone());
        tokio::spawn(link.run());
        Ok(Arc::new(Self { publisher, commands, reads: Semaphore::new(CONCURRENT_READS), interests, metrics }))
    }

    async fn read(&self, company: CompanyId, which: history::Which) -> Result<LogSlice, ReadError> {
        let unavailable = |reason: &str| ReadError::Unavailable(reason.to_owned());
        let _permit = self.reads.acquire().await.map_err(|_| unavailable("shutting down"))?;
        let connection = self.commands.read().ok().and_then(|held| held.clone());
        let connection = connection.ok_or_else(|| unavailable("the link to Redis is down"))?;
        self.metrics.log_reads.inc();
        history::read(connection, &company, which).await
    }
}

impl Backplane for Redis {
    fn publish(&self, envelopes: Vec<Envelope>) -> BoxFuture<'_, Result<Vec<Published>, PublishError>> {
        Box::pin(async move { self.publisher.publish_envelopes(&envelopes).await })
    }

    fn read_after(&self, company: CompanyId, after: Cursor) -> BoxFuture<'_, Result<LogSlice, ReadError>> {
        Box::pin(self.read(company, history::Which::After { cursor: after, page: PAGE }))
    }

    fn read_newest(&self, company: CompanyId, limit: usize) -> BoxFuture<'_, Result<LogSlice, ReadError>> {
        Box::pin(self.read(company, history::Which::Newest(limit)))
    }

    fn interests(&self) -> Arc<Interests> {
        self.interests.clone()
    }
}

/// The driver's default leaves Nagle's delay on and never notices a peer that vanished.
fn tcp_settings() -> TcpSettings {
    use std::time::Duration;
    let keepalive = redis::io::tcp::socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5))
        .with_retries(3);
    TcpSettings::default().set_nodelay(true).set_keepalive(keepalive).set_user_timeout(Duration::from_secs(20))
}
