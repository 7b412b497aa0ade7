//! How many connections a company and a user may have, on all replicas together.
//!
//! Each replica knows its own [`counts`]; what the others have is in Redis, one hash per replica, which is a lease: it is
//! gone a moment after the replica is ([`ledger`]). Whoever connects costs one run of a script, bounded in time. Without
//! an answer the replica's own count decides, and the ledger asks later: who is then found to be too many is closed.

mod counts;
mod ledger;
mod owner;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use redis::aio::MultiplexedConnection;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::timeout,
};

pub(crate) use self::ledger::REPLICAS as KEY;
use self::{
    counts::{Counts, Ticket},
    owner::{Owner, Subject},
};
use crate::{
    auth::Identity,
    config::LimitsConfig,
    defaults::{QUOTA_PATIENCE, QUOTA_QUEUE},
    metrics::Metrics,
};

/// Whose connections are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The company's.
    Company,
    /// The user's.
    User,
}

/// The limits, and who is counted against them.
pub struct Quota {
    per_company: u32,
    per_user: u32,
    counts: Mutex<Counts>,
    /// Some count has changed, and Redis may not know.
    changed: Notify,
    /// Where to ask about the other replicas; `None` where there are none.
    ledger: Option<mpsc::Sender<Ask>>,
    /// The ledger answers at present.
    reachable: AtomicBool,
    /// It has done so for a while: the other replicas have come back to it as well.
    settled: AtomicBool,
    metrics: Arc<Metrics>,
}

/// A question for the ledger: whether there is room for one more.
struct Ask {
    ticket: Arc<Ticket>,
    answer: oneshot::Sender<Option<Full>>,
}

/// One connection's place among its company's and its user's; given back when dropped, whatever way the connection ends.
pub struct Lease {
    quota: Arc<Quota>,
    ticket: Arc<Ticket>,
}

impl Quota {
    /// Counts against these limits; with the connection to Redis, together with other replicas. Must be called within a
    /// runtime.
    #[must_use]
    pub fn start(
        limits: &LimitsConfig,
        redis: Option<watch::Receiver<Option<MultiplexedConnection>>>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let (sender, asks) = mpsc::channel(QUOTA_QUEUE);
        let quota = Arc::new(Self {
            per_company: limits.max_connections_per_company,
            per_user: limits.max_connections_per_user,
            counts: Mutex::default(),
            changed: Notify::new(),
            ledger: redis.is_some().then_some(sender),
            reachable: AtomicBool::new(false),
            settled: AtomicBool::new(false),
            metrics,
        });
        if let Some(redis) = redis.filter(|_| quota.is_limited()) {
            tokio::spawn(ledger::keep(quota.clone(), redis, asks));
        }
        quota
    }

    /// Takes a place for a connection; `None` where nobody counts.
    ///
    /// # Errors
    /// Whose connections are too many.
    pub async fn admit(self: &Arc<Self>, identity: &Identity) -> Result<Option<Lease>, Full> {
        if !self.is_limited() {
            return Ok(None);
        }
        let lease = self.take(identity)?;
        let Some(ledger) = &self.ledger else { return Ok(Some(lease)) };
        if self.reachable.load(Ordering::Acquire) {
            let (answer, answered) = oneshot::channel();
            let asked = ledger.try_send(Ask { ticket: lease.ticket.clone(), answer }).is_ok();
            if asked && let Ok(Ok(verdict)) = timeout(QUOTA_PATIENCE, answered).await {
                if let Some(full) = verdict {
                    return Err(full);
                }
                if !self.settled.load(Ordering::Acquire) {
                    self.counts().doubt(&lease.ticket);
                }
                return Ok(Some(lease));
            }
        }
        self.metrics.quota_unproven.inc();
        self.counts().doubt(&lease.ticket);
        self.changed.notify_one();
        Ok(Some(lease))
    }

    /// Takes a place under the replica's own counts, which are never more than those of all.
    fn take(self: &Arc<Self>, identity: &Identity) -> Result<Lease, Full> {
        let owner = Owner {
            company: identity.company.clone(),
            user: identity.user.clone(),
            by_company: self.per_company > 0,
            by_user: self.per_user > 0,
        };
        let mut counts = self.counts();
        if let Some(full) = owner.subjects().find(|subject| counts.taken(subject) >= self.limit(subject)) {
            return Err(full.kind());
        }
        let ticket = counts.take(owner);
        drop(counts);
        Ok(Lease { quota: self.clone(), ticket })
    }

    fn is_limited(&self) -> bool {
        self.per_company > 0 || self.per_user > 0
    }

    fn limit(&self, subject: &Subject) -> u32 {
        match subject {
            Subject::Company(_) => self.per_company,
            Subject::User(..) => self.per_user,
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while the lock is held; and if it did, the counts would still be whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// The other replicas were found to have so many that this one is too many.
    #[must_use]
    pub fn is_excess(&self) -> bool {
        self.ticket.is_excess()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.quota.counts().give_back(&self.ticket) {
            self.quota.changed.notify_one();
        }
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
