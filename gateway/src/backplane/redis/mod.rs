//! The backplane of many replicas.
//!
//! [`link`] keeps one subscriber connection and one command connection alive, for ever; [`history`] reads logs over the
//! latter; [`ledger`] follows the revocations over both. Publishing goes through the `publisher` crate, which has connections of its own.

use std::sync::Arc;

use anyhow::{Context, Error, Result};
use futures_util::future::BoxFuture;
use publisher::{Endpoint, PublishError, Published, Publisher, Tls};
use redis::aio::MultiplexedConnection;
use secrecy::{ExposeSecret, SecretString};
use shared::{CompanyId, Cursor, Envelope, Revocation};
use tokio::sync::{Semaphore, watch};

use super::{Backplane, Interests, LogSlice, ReadError, SignalSender};
use crate::{
    auth::Revocations,
    defaults::{CONCURRENT_PAINTS, CONCURRENT_READS, PAGE},
    metrics::Metrics,
};

mod fleet;
mod history;
mod ledger;
mod link;
mod probe;

/// One Redis, shared by all replicas.
pub struct Redis {
    publisher: Publisher,
    /// The link's command connection while it is up.
    commands: watch::Receiver<Option<MultiplexedConnection>>,
    /// Bounds what rooms read at once.
    reads: Semaphore,
    /// Bounds what screens read at once.
    paints: Semaphore,
    interests: Arc<Interests>,
    revocations: Arc<Revocations>,
}

impl Redis {
    /// Starts the link; Redis need not be there yet. Must be called within a runtime.
    ///
    /// # Errors
    /// When the URL or the certificates cannot be used.
    pub fn start(
        url: &SecretString,
        tls: Tls,
        signals: SignalSender,
        revocations: Arc<Revocations>,
        metrics: Arc<Metrics>,
    ) -> Result<Arc<Self>> {
        let url = url.expose_secret();
        let endpoint = Endpoint::with_tls(url, &tls).map_err(Error::msg).context("GATEWAY_REDIS_URL")?;
        let publisher = Publisher::builder(url).tls(tls).build().context("GATEWAY_REDIS_URL is malformed")?;
        let interests = Arc::new(Interests::default());
        let (sender, commands) = watch::channel(None);
        let ledger = ledger::Ledger::new(revocations.clone(), publisher.clone(), metrics.clone());
        let link = link::Link::new(endpoint, signals, sender, interests.clone(), ledger, metrics);
        tokio::spawn(link.run());
        let (reads, paints) = (Semaphore::new(CONCURRENT_READS), Semaphore::new(CONCURRENT_PAINTS));
        Ok(Arc::new(Self { publisher, commands, reads, paints, interests, revocations }))
    }

    /// The link's command connection, while it is up.
    #[must_use]
    pub fn commands(&self) -> watch::Receiver<Option<MultiplexedConnection>> {
        self.commands.clone()
    }

    async fn read(
        &self,
        company: CompanyId,
        which: history::Which,
        permits: &Semaphore,
    ) -> Result<LogSlice, ReadError> {
        let unavailable = |reason: &str| ReadError::Unavailable(reason.to_owned());
        let _permit = permits.acquire().await.map_err(|_| unavailable("shutting down"))?;
        history::read(self.connection()?, &company, which).await
    }

    /// The link's command connection.
    fn connection(&self) -> Result<MultiplexedConnection, ReadError> {
        let connection = self.commands.borrow().clone();
        connection.ok_or_else(|| ReadError::Unavailable("the link to Redis is down".to_owned()))
    }
}

impl Backplane for Redis {
    fn publish(&self, envelopes: Vec<Envelope>) -> BoxFuture<'_, Result<Vec<Published>, PublishError>> {
        Box::pin(async move { self.publisher.publish_envelopes(&envelopes).await })
    }

    fn revoke(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), PublishError>> {
        Box::pin(async move {
            self.publisher.keep_revocation(&revocation).await?;
            self.revocations.add([revocation]);
            Ok(())
        })
    }

    fn read_from(&self, company: CompanyId, from: Cursor) -> BoxFuture<'_, Result<LogSlice, ReadError>> {
        Box::pin(self.read(company, history::Which::From { cursor: from, page: PAGE }, &self.reads))
    }

    fn read_newest(&self, company: CompanyId, limit: usize) -> BoxFuture<'_, Result<LogSlice, ReadError>> {
        // A room asks for the top alone; whoever asks for more is a screen, and must not hold rooms up.
        let permits = if limit > 1 { &self.paints } else { &self.reads };
        Box::pin(self.read(company, history::Which::Newest(limit), permits))
    }

    fn interests(&self) -> Arc<Interests> {
        self.interests.clone()
    }

    fn exchange_reports(
        &self,
        replica: String,
        report: String,
        dead: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<(String, String)>, ReadError>> {
        Box::pin(async move { fleet::exchange(self.connection()?, &replica, &report, &dead).await })
    }
}
