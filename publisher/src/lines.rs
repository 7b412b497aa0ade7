//! Connections that are held open: one round trip per publish.
//!
//! `deadpool-redis` opens and counts them, but they are not checked out and in per publish, for two reasons. Its
//! recycling asks `UNWATCH` and `PING` at every checkout, a second round trip (a trivial script over loopback: 159 us
//! with it, 62 us without); and `UNWATCH` is outside the publisher's least-privilege ACL, so that every checkout would
//! be refused and open a new connection. What it pools are multiplexed connections, made to be shared: each *line* here
//! is one, checked out once, cloned per request, and taken out of the pool for good as soon as it fails, so that no bad
//! connection is ever handed out again. How many lines there are, from one to eight, made no difference to measure.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use deadpool_redis::redis::{RedisError, aio::MultiplexedConnection};
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout},
};

use crate::{
    Endpoint, PublisherBuilder, defaults,
    line::{Line, Opener},
};

/// A line to be: the first who needs it opens it, the others wait for that.
type Slot = Arc<OnceCell<Line>>;

/// All lines of a publisher.
pub(crate) struct Lines {
    opener: Opener,
    slots: Vec<Mutex<Slot>>,
    next: AtomicUsize,
    check: Mutex<Check>,
}

/// A question whether the lines lead to the right server. Whoever comes first asks, the others wait for that.
struct Check {
    begun: Instant,
    done: Arc<OnceCell<()>>,
}

/// The use of one line for one request.
pub(crate) struct Lease {
    pub(crate) connection: MultiplexedConnection,
    number: usize,
    slot: Slot,
}

impl Lines {
    /// Prepares the lines; connects nothing.
    pub(crate) fn new(endpoint: Endpoint, settings: &PublisherBuilder) -> Self {
        Self {
            opener: Opener::new(endpoint, settings),
            slots: (0..settings.pool_size).map(|_| Mutex::default()).collect(),
            next: AtomicUsize::new(0),
            check: Mutex::new(Check { begun: Instant::now(), done: Arc::default() }),
        }
    }

    /// The next line in turn, opened if it is not.
    ///
    /// # Errors
    /// When it cannot be opened. Nothing was sent then.
    pub(crate) async fn lease(&self) -> Result<Lease, RedisError> {
        self.check().await;
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let slot = Arc::clone(&lock(&self.slots[number]));
        // Boxed, for a publish should not have to carry what it rarely needs.
        let line = slot.get_or_try_init(|| Box::pin(self.opener.open())).await?;
        let connection = line.connection();
        Ok(Lease { connection, number, slot })
    }

    /// Gives a line up: nobody is given it any more. It closes when its last request has ended.
    pub(crate) fn discard(&self, lease: &Lease) {
        let mut current = lock(&self.slots[lease.number]);
        if Arc::ptr_eq(&current, &lease.slot) {
            *current = Slot::default();
        }
    }

    /// Gives up the lines to a server that is the master no longer.
    ///
    /// It may not know: Sentinel promotes another first, and tells the old one ten seconds later, or when it is seen
    /// again. Until then it takes events, and loses them.
    async fn check(&self) {
        let done = {
            let mut check = lock(&self.check);
            if check.begun.elapsed() >= defaults::MASTER_CHECK {
                *check = Check { begun: Instant::now(), done: Arc::default() };
            }
            Arc::clone(&check.done)
        };
        done.get_or_init(|| Box::pin(self.leave_old_masters())).await;
    }

    async fn leave_old_masters(&self) {
        // A line that is opened asks for itself.
        if !self.slots.iter().any(|slot| lock(slot).initialized()) {
            return;
        }
        // Without an answer the lines are as good as before.
        if let Ok(Ok(Some(masters))) = timeout(defaults::SENTINEL_PATIENCE, self.opener.endpoint.masters()).await {
            for slot in &self.slots {
                let mut current = lock(slot);
                if current.get().is_some_and(|line| !masters.contains(&line.server)) {
                    *current = Slot::default();
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
