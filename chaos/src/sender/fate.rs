//! One fact and what becomes of it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use publisher::{PublishError, Publisher};
use shared::{CompanyId, Cursor, EventId};
use tokio::time::{Instant, sleep};

use super::post::Post;
use crate::{
    defaults::{HEAVY, PUBLISH_DEADLINE, RECOVERY, UNCLEAR_RETRIES},
    oracle::{Fact, Ledger, Seal},
};

/// What senders need to know.
pub(crate) struct Setup {
    /// Where Redis is.
    pub(crate) redis: String,
    /// Where the gateways are.
    pub(crate) public: SocketAddr,
    /// The run's seed, which event ids begin with.
    pub(crate) seed: u64,
    /// Negative control: an unclear fact is tried again under a new event id.
    pub(crate) careless: bool,
}

/// Sends facts and keeps the ledger.
pub(crate) struct Sender {
    publisher: Mutex<Publisher>,
    post: Post,
    seal: Arc<Seal>,
    ledger: Mutex<Ledger>,
    seed: u64,
    careless: bool,
    issued: AtomicU64,
}

/// What became of a fact.
#[derive(Debug)]
pub(crate) enum Fate {
    /// Stored there.
    Stored(Cursor),
    /// Not stored, and why.
    Refused(String),
    /// Nobody knows.
    Open,
}

impl Sender {
    pub(crate) fn new(setup: Setup, seal: Arc<Seal>) -> anyhow::Result<Self> {
        let publisher = Mutex::new(publisher(&setup.redis)?);
        let post = Post::new(setup.public)?;
        let (seed, careless) = (setup.seed, setup.careless);
        Ok(Self { publisher, post, seal, ledger: Mutex::default(), seed, careless, issued: AtomicU64::new(0) })
    }

    /// Publishes to another Redis from now on.
    pub(crate) fn go_to(&self, redis: &str) -> anyhow::Result<()> {
        *self.publisher.lock().unwrap_or_else(PoisonError::into_inner) = publisher(redis)?;
        Ok(())
    }

    fn publisher(&self) -> Publisher {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Facts so far.
    pub(crate) fn issued(&self) -> u64 {
        self.issued.load(Ordering::Relaxed)
    }

    /// Publishes a new fact through the library.
    pub(crate) async fn publish(&self, company: &CompanyId) -> Fate {
        let n = self.issue(company);
        self.see_through(company, n, |fact| fact).await
    }

    /// Publishes a new fact with ballast.
    pub(crate) async fn publish_heavy(&self, company: &CompanyId) -> Fate {
        let n = self.issue(company);
        self.see_through(company, n, |fact| Fact { pad: "x".repeat(HEAVY), ..fact }).await
    }

    /// Publishes a new fact through a gateway.
    pub(crate) async fn post(&self, company: &CompanyId) -> Fate {
        let n = self.issue(company);
        let fact = self.seal.fact(company, self.event_id(n, 0), n);
        for _ in 0..=UNCLEAR_RETRIES {
            // A gateway does not say whether a failed publish was stored.
            if let Ok(at) = self.post.send(&fact).await {
                return self.stored(company, n, at);
            }
        }
        Fate::Open
    }

    /// Publishes one fact from two publishers at once; both must be given the same place.
    pub(crate) async fn publish_twice(&self, company: &CompanyId) -> anyhow::Result<()> {
        let n = self.issue(company);
        let other = self.seal.fact(company, self.event_id(n, 0), n);
        let (one, other) = tokio::join!(self.see_through(company, n, |fact| fact), self.post.send(&other));
        let other = other.context("the second publisher")?;
        self.stored(company, n, other);
        match one {
            Fate::Stored(at) if at == other => Ok(()),
            fate => anyhow::bail!("fact {n} of {company}: {fate:?}, and through the gateway {other}"),
        }
    }

    /// Publishes a marker and does not give up before it is stored.
    pub(crate) async fn mark(&self, company: &CompanyId) -> anyhow::Result<(u64, Cursor)> {
        let deadline = Instant::now() + RECOVERY;
        loop {
            let n = self.issue(company);
            let why = match self.see_through(company, n, |fact| Fact { marker: true, ..fact }).await {
                Fate::Stored(at) => return Ok((n, at)),
                Fate::Refused(why) => why,
                Fate::Open => "nobody knows whether one is stored".to_owned(),
            };
            anyhow::ensure!(Instant::now() < deadline, "no marker for {company}: {why}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// One attempt with no retries of ours, and how long it took.
    pub(crate) async fn try_once(&self, company: &CompanyId) -> (Result<Cursor, PublishError>, Duration) {
        let n = self.issue(company);
        let fact = self.seal.fact(company, self.event_id(n, 0), n);
        let began = Instant::now();
        let result = self.publisher().publish_with_id(company, fact.event.clone(), fact).await.map(|one| one.id);
        match &result {
            Ok(at) => drop(self.stored(company, n, *at)),
            Err(PublishError::Unknown(_)) => {}
            Err(_) => self.ledger().refuse(company, n),
        }
        (result, began.elapsed())
    }

    fn issue(&self, company: &CompanyId) -> u64 {
        let n = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
        self.ledger().issue(company, n);
        n
    }

    async fn see_through(&self, company: &CompanyId, n: u64, dress: impl Fn(Fact) -> Fact) -> Fate {
        let mut unclear = false;
        for attempt in 0..=UNCLEAR_RETRIES {
            let event_id = self.event_id(n, if self.careless { attempt } else { 0 });
            let fact = dress(self.seal.fact(company, event_id.clone(), n));
            match self.publisher().publish_with_id(company, event_id, fact).await {
                Ok(published) => return self.stored(company, n, published.id),
                Err(PublishError::Unknown(_)) => unclear = true,
                Err(_) if unclear => return Fate::Open,
                Err(error) => {
                    self.ledger().refuse(company, n);
                    return Fate::Refused(error.to_string());
                }
            }
        }
        Fate::Open
    }

    fn stored(&self, company: &CompanyId, n: u64, at: Cursor) -> Fate {
        self.ledger().acknowledge(company, n, at);
        Fate::Stored(at)
    }

    fn event_id(&self, n: u64, attempt: usize) -> EventId {
        let again = if attempt == 0 { String::new() } else { format!("-again{attempt}") };
        EventId::parse(&format!("{:x}-{n}{again}", self.seed)).expect("digits and dashes make an event id")
    }
}

fn publisher(redis: &str) -> anyhow::Result<Publisher> {
    Ok(Publisher::builder(redis).deadline(PUBLISH_DEADLINE).build()?)
}
