//! The backplane of many replicas.
//!
//! [`link`] keeps one subscriber connection and one command connection alive, for ever; [`history`] reads logs over the
//! latter; [`ledger`] follows the revocations over both. [`cluster`] keeps a link to each shard. Publishing goes through the
//! `publisher` crate, which has connections of its own.

use std::{collections::HashSet, sync::Arc};

use anyhow::{Context, Error, Result};
use futures_util::future::BoxFuture;
use publisher::{Endpoint, PublishError, Published, Publisher, Tls};
use redis::{RedisResult, aio::MultiplexedConnection};
use secrecy::{ExposeSecret, SecretString};
use shared::{CompanyId, Cursor, Envelope, Revocation, keys, slot};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use super::{Backplane, Interests, LogSlice, ReadError, SignalSender};
use crate::{
    auth::Revocations,
    defaults::{CONCURRENT_PAINTS, CONCURRENT_READS, PAGE, REDIS_RESPONSE_TIMEOUT},
    metrics::Metrics,
};

mod cluster;
mod fleet;
mod hearing;
mod history;
mod ledger;
mod link;
mod outlet;
mod probe;
mod sharded;
mod subscriber;

/// One Redis or one cluster, shared by all replicas.
pub struct Redis {
    publisher: Publisher,
    commands: Commands,
    /// The connection for what replicas share beside logs, while it is up.
    quota: watch::Receiver<Option<MultiplexedConnection>>,
    interests: Arc<Interests>,
    revocations: Arc<Revocations>,
}

/// The links' command connections while they are up.
enum Commands {
    One(watch::Receiver<Option<MultiplexedConnection>>, Arc<Permits>),
    Many(Arc<cluster::Directory>),
}

/// Bounds what is read from one server at once; of a cluster, one that does not answer must not hold the others up.
struct Permits {
    /// By rooms.
    reads: Semaphore,
    /// By screens.
    paints: Semaphore,
}

impl Default for Permits {
    fn default() -> Self {
        Self { reads: Semaphore::new(CONCURRENT_READS), paints: Semaphore::new(CONCURRENT_PAINTS) }
    }
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
        let ledger = ledger::Ledger::new(revocations.clone(), publisher.clone(), metrics.clone());
        let (commands, quota) = if let Some(cluster) = endpoint.cluster() {
            let (directory, quota) =
                cluster::Keeper::start(cluster.clone(), signals, interests.clone(), ledger, metrics);
            (Commands::Many(directory), quota)
        } else {
            let (sender, commands) = watch::channel(None);
            let link = link::Link {
                endpoint,
                is_shard: false,
                shard: 0,
                outlet: outlet::Outlet { signals, keeper: None },
                commands: sender,
                interests: interests.clone(),
                ledger: Arc::new(ledger),
                metrics,
                wanted: HashSet::new(),
            };
            tokio::spawn(link.run());
            (Commands::One(commands.clone(), Arc::default()), commands)
        };
        Ok(Arc::new(Self { publisher, commands, quota, interests, revocations }))
    }

    /// The connection to whoever keeps the replicas' counts, while it is up.
    #[must_use]
    pub fn quota(&self) -> watch::Receiver<Option<MultiplexedConnection>> {
        self.quota.clone()
    }

    /// The connection to whoever has a key, while it is up.
    fn connection(&self, key: &str) -> Result<MultiplexedConnection, ReadError> {
        let connection = match &self.commands {
            Commands::One(commands, _) => commands.borrow().clone(),
            Commands::Many(directory) => directory.of(slot(key)),
        };
        connection.ok_or_else(|| ReadError::Unavailable("the link to Redis is down".to_owned()))
    }

    async fn read(
        &self,
        company: CompanyId,
        which: history::Which,
        kind: fn(&Permits) -> &Semaphore,
    ) -> Result<LogSlice, ReadError> {
        let unavailable = |reason: &str| ReadError::Unavailable(reason.to_owned());
        let log = keys::log(&company);
        let permits = match &self.commands {
            Commands::One(_, permits) => permits.clone(),
            Commands::Many(directory) => directory.permits(slot(&log)),
        };
        let _permit = kind(&permits).acquire().await.map_err(|_| unavailable("shutting down"))?;
        let answer = history::read(self.connection(&log)?, &company, which).await;
        if let (Err(ReadError::Unavailable(_)), Commands::Many(directory)) = (&answer, &self.commands) {
            directory.doubt();
        }
        answer
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
        Box::pin(self.read(company, history::Which::From { cursor: from, page: PAGE }, |permits| &permits.reads))
    }

    fn read_newest(&self, company: CompanyId, limit: usize) -> BoxFuture<'_, Result<LogSlice, ReadError>> {
        // A room asks for the top alone; whoever asks for more is a screen, and must not hold rooms up.
        let kind: fn(&Permits) -> &Semaphore =
            if limit > 1 { |permits| &permits.paints } else { |permits| &permits.reads };
        Box::pin(self.read(company, history::Which::Newest(limit), kind))
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
        Box::pin(async move { fleet::exchange(self.connection(fleet::KEY)?, &replica, &report, &dead).await })
    }
}

async fn within<T>(what: &str, command: impl Future<Output = RedisResult<T>>) -> Result<T, String> {
    match timeout(REDIS_RESPONSE_TIMEOUT, command).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("{what}: {error}")),
        Err(_) => Err(format!("{what}: no answer in time")),
    }
}
