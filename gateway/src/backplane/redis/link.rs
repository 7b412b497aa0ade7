//! The link to Redis: one connection that listens, one that asks. It is replaced whenever either fails, for ever.
//!
//! The driver's subscriber does not reconnect and has no time limits, so both are here. Its reader never waits for
//! anything: announcements that nobody takes in time are dropped and later read from the log. To a cluster there is one
//! to each primary; [`cluster`](super::cluster) keeps them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use publisher::Endpoint;
use redis::{AsyncConnectionConfig, Client, RedisResult, aio::MultiplexedConnection};
use shared::{CompanyId, keys};
use tokio::{
    sync::watch,
    time::{Instant, interval_at, sleep, timeout},
};
use tracing::{info, warn};

use super::{
    hearing::Hearing,
    ledger::Ledger,
    outlet::{Outlet, Report},
    probe::Probe,
    subscriber::{Listening, Subscriber},
};
use crate::{
    backplane::Interests,
    defaults::{PROBE_INTERVAL, REDIS_BACKOFF, REDIS_CONNECT_TIMEOUT, REDIS_RESPONSE_TIMEOUT, SUBSCRIBE_CHUNK},
    metrics::Metrics,
};

pub(super) struct Link {
    pub(super) endpoint: Endpoint,
    /// One of many, over which companies are heard on shard channels.
    pub(super) is_shard: bool,
    /// Its number; 0 where there is one.
    pub(super) shard: usize,
    pub(super) outlet: Outlet,
    pub(super) commands: watch::Sender<Option<MultiplexedConnection>>,
    pub(super) interests: Arc<Interests>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) metrics: Arc<Metrics>,
    /// The companies of interest, to be subscribed again after a break.
    pub(super) wanted: HashSet<CompanyId>,
}

/// Both connections of a link.
struct Connected {
    client: Client,
    subscriber: Subscriber,
    listening: Listening,
    commands: MultiplexedConnection,
    probe: Probe,
}

impl Link {
    /// Keeps a link up, for ever.
    pub(super) async fn run(mut self) {
        self.metrics.shards.begin(self.shard);
        let mut delay = REDIS_BACKOFF.0;
        let mut server = None;
        loop {
            match self.connect().await {
                Ok(connected) => {
                    info!(shard = self.shard, "connected to Redis");
                    delay = REDIS_BACKOFF.0;
                    self.commands.send_replace(Some(connected.commands.clone()));
                    if self.is_shard {
                        self.ledger.known().await;
                    }
                    self.metrics.shards.set_up(self.shard, true);
                    let now = connected.client.get_connection_info().addr().to_string();
                    let moved = server.replace(now.clone()).is_some_and(|before| before != now);
                    self.outlet.tell(Report::Up { moved }).await;
                    let reason = self.serve(connected).await;
                    self.commands.send_replace(None);
                    self.metrics.shards.set_up(self.shard, false);
                    self.metrics.backplane_disconnects.inc();
                    warn!(shard = self.shard, reason, "lost the link to Redis");
                }
                Err(error) => warn!(shard = self.shard, reason = error, "cannot connect to Redis"),
            }
            self.outlet.tell(Report::Down).await;
            sleep(delay.mul_f64(rand::random_range(0.5..1.0))).await;
            delay = (delay * 2).min(REDIS_BACKOFF.1);
        }
    }

    async fn connect(&self) -> Result<Connected, String> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(REDIS_CONNECT_TIMEOUT))
            .set_response_timeout(Some(REDIS_RESPONSE_TIMEOUT));
        let probe = Probe::new(self.metrics.clone(), self.shard);
        let hearing = Hearing { ear: probe.ear(), ledger: self.ledger.clone(), signals: self.outlet.signals.clone() };
        let both = async {
            // Behind Sentinel, whoever is the master now.
            let client = self.endpoint.client().await?;
            let (subscriber, listening) = match self.is_shard {
                true => Subscriber::sharded(&client, &config, hearing).await?,
                false => Subscriber::plain(&client, hearing).await?,
            };
            let commands = client.get_multiplexed_async_connection_with_config(&config).await?;
            RedisResult::Ok(Connected { client, subscriber, listening, commands, probe })
        };
        let mut connected = timeout(REDIS_CONNECT_TIMEOUT, both)
            .await
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|error| error.to_string())?;
        // Nobody is let in over this link before it is known who was cut off.
        if !self.is_shard {
            self.ledger.open(&mut connected.commands).await?;
        }
        Ok(connected)
    }

    /// Serves one connection until it fails; says why it did.
    async fn serve(&mut self, connected: Connected) -> String {
        let Connected { client, subscriber, listening, commands, probe } = connected;
        let (endpoint, ledger, is_shard) = (self.endpoint.clone(), self.ledger.clone(), self.is_shard);
        tokio::select! {
            () = listening => "Redis closed the connection".into(),
            reason = self.command(subscriber, commands.clone(), probe) => reason,
            // Of a cluster, only one shard has them.
            reason = ledger.follow(|| Some(commands.clone())), if !is_shard => reason,
            reason = watch_master(&endpoint, &client) => reason,
        }
    }

    /// Subscribes, unsubscribes and probes.
    async fn command(
        &mut self,
        mut subscriber: Subscriber,
        mut commands: MultiplexedConnection,
        mut probe: Probe,
    ) -> String {
        match subscriber.listen_to(keys::REVOCATIONS).await {
            Ok(()) => self.ledger.subscribed(),
            Err(reason) => warn!(reason, "revocations come late; the gateway's user needs &gateway:*"),
        }
        let wanted: Vec<_> = self.wanted.iter().cloned().collect();
        let mut outcome = self.subscribe(&mut subscriber, wanted).await;
        if outcome.is_ok()
            && !self.is_shard
            && let Err(reason) = subscriber.listen_to(probe.begin()).await
        {
            // A link that does not work will be noticed by the first beat.
            probe.give_up(&reason);
        }
        let mut beats = interval_at(Instant::now() + PROBE_INTERVAL, PROBE_INTERVAL);
        let (interests, changes) = (self.interests.clone(), subscriber.changes());
        loop {
            if let Err(reason) = outcome {
                return reason;
            }
            outcome = tokio::select! {
                wishes = interests.take() => self.apply(&mut subscriber, wishes).await,
                changed = changes.take() => {
                    let astray = changed.into_keys().filter(|company| self.wanted.contains(company)).collect();
                    self.outlet.tell(Report::Astray(astray)).await;
                    Ok(())
                }
                _ = beats.tick() => self.beat(&mut subscriber, &mut commands, &mut probe).await,
            };
        }
    }

    async fn beat(
        &self,
        subscriber: &mut Subscriber,
        commands: &mut MultiplexedConnection,
        probe: &mut Probe,
    ) -> Result<(), String> {
        if self.is_shard
            && let Some((left, come_to)) = probe.follow(&self.wanted)
        {
            subscriber.change_shard_channel(left, come_to).await?;
        }
        probe.beat(commands).await
    }

    async fn apply(&mut self, subscriber: &mut Subscriber, wishes: HashMap<CompanyId, bool>) -> Result<(), String> {
        let (joining, leaving): (Vec<_>, Vec<_>) = wishes.into_iter().partition(|(_, wanted)| *wanted);
        let (joining, leaving) = (companies(joining), companies(leaving));
        // First noted, then done: a link that breaks in between must not forget them.
        self.wanted.extend(joining.iter().cloned());
        for company in &leaving {
            self.wanted.remove(company);
        }
        self.metrics.shards.set_companies(self.shard, self.wanted.len());
        subscriber.unsubscribe(&leaving).await?;
        self.subscribe(subscriber, joining).await
    }

    async fn subscribe(&self, subscriber: &mut Subscriber, companies: Vec<CompanyId>) -> Result<(), String> {
        for chunk in companies.chunks(SUBSCRIBE_CHUNK) {
            let heard = subscriber.subscribe(chunk).await?;
            let astray: Vec<_> = match heard.len() == chunk.len() {
                true => vec![],
                false => chunk.iter().filter(|company| !heard.contains(company)).cloned().collect(),
            };
            self.outlet.tell(Report::Subscribed(heard)).await;
            if !astray.is_empty() {
                self.outlet.tell(Report::Astray(astray)).await;
            }
        }
        Ok(())
    }
}

fn companies(wishes: Vec<(CompanyId, bool)>) -> Vec<CompanyId> {
    wishes.into_iter().map(|(company, _)| company).collect()
}

/// Ends when somebody else was made master: a master that was paused meanwhile may not know. Sentinels that do not answer
/// say nothing.
async fn watch_master(endpoint: &Endpoint, client: &Client) -> String {
    let mut looks = interval_at(Instant::now() + PROBE_INTERVAL, PROBE_INTERVAL);
    loop {
        looks.tick().await;
        if let Ok(Ok(false)) = timeout(PROBE_INTERVAL, endpoint.is_current(client)).await {
            return "another server is the master now".into();
        }
    }
}
