//! The link to Redis: one connection that listens, one that asks. It is replaced whenever either fails, for ever.
//!
//! The driver's subscriber does not reconnect and has no time limits, so both are here. Its reader never waits for
//! anything: announcements that nobody takes in time are dropped and later read from the log.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::StreamExt;
use publisher::Endpoint;
use redis::{
    AsyncConnectionConfig, Client, RedisResult,
    aio::{MultiplexedConnection, PubSubSink, PubSubStream},
};
use shared::{CompanyId, keys};
use tokio::{
    sync::watch,
    time::{Instant, interval_at, sleep, timeout},
};
use tracing::{info, warn};

use super::{
    ledger::Ledger,
    probe::{Ear, Probe},
};
use crate::{
    backplane::{Interests, Signal, SignalSender},
    defaults::{PROBE_INTERVAL, REDIS_BACKOFF, REDIS_CONNECT_TIMEOUT, REDIS_RESPONSE_TIMEOUT, SUBSCRIBE_CHUNK},
    metrics::Metrics,
};

pub(super) struct Link {
    endpoint: Endpoint,
    signals: SignalSender,
    commands: watch::Sender<Option<MultiplexedConnection>>,
    interests: Arc<Interests>,
    ledger: Arc<Ledger>,
    metrics: Arc<Metrics>,
    /// The companies of interest, to be subscribed again after a break.
    wanted: HashSet<CompanyId>,
}

/// Both connections of a link.
struct Connected {
    client: Client,
    sink: PubSubSink,
    stream: PubSubStream,
    commands: MultiplexedConnection,
}

impl Link {
    pub(super) fn new(
        endpoint: Endpoint,
        signals: SignalSender,
        commands: watch::Sender<Option<MultiplexedConnection>>,
        interests: Arc<Interests>,
        ledger: Ledger,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { endpoint, signals, commands, interests, ledger: Arc::new(ledger), metrics, wanted: HashSet::new() }
    }

    /// Keeps a link up, for ever.
    pub(super) async fn run(mut self) {
        self.metrics.probe_heard();
        let mut delay = REDIS_BACKOFF.0;
        let mut server = None;
        loop {
            match self.connect().await {
                Ok(connected) => {
                    info!("connected to Redis");
                    delay = REDIS_BACKOFF.0;
                    self.commands.send_replace(Some(connected.commands.clone()));
                    self.metrics.backplane_up.set(1);
                    let now = connected.client.get_connection_info().addr().to_string();
                    let moved = server.replace(now.clone()).is_some_and(|before| before != now);
                    self.signals.send(Signal::Up { moved }).await;
                    let reason = self.serve(connected).await;
                    self.commands.send_replace(None);
                    self.metrics.backplane_up.set(0);
                    self.metrics.backplane_disconnects.inc();
                    warn!(reason, "lost the link to Redis");
                }
                Err(error) => warn!(reason = error, "cannot connect to Redis"),
            }
            self.signals.send(Signal::Down).await;
            sleep(delay.mul_f64(rand::random_range(0.5..1.0))).await;
            delay = (delay * 2).min(REDIS_BACKOFF.1);
        }
    }

    async fn connect(&self) -> Result<Connected, String> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(REDIS_CONNECT_TIMEOUT))
            .set_response_timeout(Some(REDIS_RESPONSE_TIMEOUT));
        let both = async {
            // Behind Sentinel, whoever is the master now.
            let client = self.endpoint.client().await?;
            let pubsub = client.get_async_pubsub().await?;
            let commands = client.get_multiplexed_async_connection_with_config(&config).await?;
            RedisResult::Ok((client, pubsub, commands))
        };
        let (client, pubsub, mut commands) = timeout(REDIS_CONNECT_TIMEOUT, both)
            .await
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|error| error.to_string())?;
        // Nobody is let in over this link before it is known who was cut off.
        self.ledger.open(&mut commands).await?;
        let (sink, stream) = pubsub.split();
        Ok(Connected { client, sink, stream, commands })
    }

    /// Serves one connection until it fails; says why it did.
    async fn serve(&mut self, connected: Connected) -> String {
        let Connected { client, sink, stream, commands } = connected;
        let (endpoint, signals) = (self.endpoint.clone(), self.signals.clone());
        let probe = Probe::new(self.metrics.clone());
        let (ear, ledger) = (probe.ear(), self.ledger.clone());
        tokio::select! {
            () = listen(stream, &signals, &ear, &ledger) => "Redis closed the connection".into(),
            reason = self.command(sink, commands.clone(), probe) => reason,
            reason = ledger.follow(commands) => reason,
            reason = watch_master(&endpoint, &client) => reason,
        }
    }

    /// Subscribes, unsubscribes and probes.
    async fn command(&mut self, mut sink: PubSubSink, mut commands: MultiplexedConnection, mut probe: Probe) -> String {
        match within("SUBSCRIBE", sink.subscribe(keys::REVOCATIONS)).await {
            Ok(()) => self.ledger.subscribed(),
            Err(reason) => warn!(reason, "revocations come late; the gateway's user needs &gateway:*"),
        }
        let wanted: Vec<_> = self.wanted.iter().cloned().collect();
        let mut outcome = self.subscribe(&mut sink, wanted).await;
        if outcome.is_ok()
            && let Err(reason) = within("SUBSCRIBE", sink.subscribe(probe.channel())).await
        {
            // A link that does not work will be noticed by the first beat.
            probe.give_up(&reason);
        }
        let mut beats = interval_at(Instant::now() + PROBE_INTERVAL, PROBE_INTERVAL);
        let interests = self.interests.clone();
        loop {
            if let Err(reason) = outcome {
                return reason;
            }
            outcome = tokio::select! {
                wishes = interests.take() => self.apply(&mut sink, wishes).await,
                _ = beats.tick() => probe.beat(&mut commands).await,
            };
        }
    }

    async fn apply(&mut self, sink: &mut PubSubSink, wishes: HashMap<CompanyId, bool>) -> Result<(), String> {
        let (joining, leaving): (Vec<_>, Vec<_>) = wishes.into_iter().partition(|(_, wanted)| *wanted);
        let (joining, leaving) = (companies(joining), companies(leaving));
        // First noted, then done: a link that breaks in between must not forget them.
        self.wanted.extend(joining.iter().cloned());
        for company in &leaving {
            self.wanted.remove(company);
        }
        for chunk in leaving.chunks(SUBSCRIBE_CHUNK) {
            within("UNSUBSCRIBE", sink.unsubscribe(channels(chunk))).await?;
        }
        self.subscribe(sink, joining).await
    }

    async fn subscribe(&self, sink: &mut PubSubSink, companies: Vec<CompanyId>) -> Result<(), String> {
        for chunk in companies.chunks(SUBSCRIBE_CHUNK) {
            within("SUBSCRIBE", sink.subscribe(channels(chunk))).await?;
            self.signals.send(Signal::Subscribed(chunk.to_vec())).await;
        }
        Ok(())
    }
}

fn companies(wishes: Vec<(CompanyId, bool)>) -> Vec<CompanyId> {
    wishes.into_iter().map(|(company, _)| company).collect()
}

fn channels(companies: &[CompanyId]) -> Vec<String> {
    companies.iter().map(keys::channel).collect()
}

/// Passes announcements on until the connection ends.
async fn listen(mut stream: PubSubStream, signals: &SignalSender, ear: &Ear, ledger: &Ledger) {
    while let Some(message) = stream.next().await {
        let (channel, payload) = (message.get_channel_name(), message.get_payload_bytes());
        if ear.hear(channel, payload) || ledger.hear(channel, payload) {
            continue;
        }
        match keys::company_of_channel(channel) {
            Some(company) => signals.announce(company, Bytes::copy_from_slice(payload)),
            None => signals.drop_noise(),
        }
    }
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

async fn within<T>(what: &str, command: impl Future<Output = RedisResult<T>>) -> Result<T, String> {
    match timeout(REDIS_RESPONSE_TIMEOUT, command).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("{what}: {error}")),
        Err(_) => Err(format!("{what}: no answer in time")),
    }
}
