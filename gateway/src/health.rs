//! Whether this replica may be given new connections.

use std::{
    cell::Cell,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::sync::Notify;

use crate::defaults::FAILOVER_SETTLES;

/// The state that readiness follows from. Whether Redis answers is not part of it: a replica that cannot reach Redis
/// tells its sessions so and goes on, while taking all replicas out at once would end every session.
#[derive(Debug)]
pub struct Health {
    link_known: AtomicBool,
    keys_missing: AtomicBool,
    failed_over: RwLock<Option<Instant>>,
    draining: AtomicBool,
    drain_asked: Notify,
    /// Connections held when the drain began.
    drained_from: AtomicU64,
    broken: AtomicBool,
    connections: AtomicU64,
    /// How many of them were asked to reconnect elsewhere.
    moving: AtomicU64,
    limit: u64,
}

/// What keeps a replica from being ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// It is not known yet whether the backplane is there, or no key set was fetched.
    Starting,
    /// It goes away.
    Draining,
    /// It has as many connections as it may.
    Full,
}

impl NotReady {
    /// For the probe's body and for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Draining => "draining",
            Self::Full => "full",
        }
    }
}

impl Health {
    /// A replica that is starting and may hold `limit` connections.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self {
            link_known: AtomicBool::new(false),
            keys_missing: AtomicBool::new(false),
            failed_over: RwLock::new(None),
            draining: AtomicBool::new(false),
            drain_asked: Notify::new(),
            drained_from: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            moving: AtomicU64::new(0),
            limit,
        }
    }

    /// The first attempt to reach the backplane has ended, well or not.
    pub fn link_known(&self) {
        self.link_known.store(true, Ordering::Release);
    }

    /// Tokens cannot be checked before the keys are there.
    pub fn await_keys(&self) {
        self.keys_missing.store(true, Ordering::Release);
    }

    /// They are there.
    pub fn keys_known(&self) {
        self.keys_missing.store(false, Ordering::Release);
    }

    /// The link leads to another server than before.
    pub fn failed_over(&self) {
        if let Ok(mut when) = self.failed_over.write() {
            *when = Some(Instant::now());
        }
    }

    /// Whether other replicas may not have noticed yet that another server is the master, and may know events that it
    /// has lost.
    #[must_use]
    pub fn is_failing_over(&self) -> bool {
        self.failed_over.read().is_ok_and(|when| when.is_some_and(|when| when.elapsed() < FAILOVER_SETTLES))
    }

    /// The replica goes away: unready from here on, and whoever waits in [`until_draining`](Self::until_draining) goes on.
    pub fn drain(&self) {
        if !self.draining.swap(true, Ordering::AcqRel) {
            self.drained_from.store(self.connections(), Ordering::Release);
            self.drain_asked.notify_waiters();
        }
    }

    /// Waits until the replica is told to go away.
    pub async fn until_draining(&self) {
        let asked = self.drain_asked.notified();
        // Whoever waits is told, also when it waits only since the flag was read.
        if !self.is_draining() {
            asked.await;
        }
    }

    /// The share of the connections held when the drain began that have gone; 0 before.
    #[must_use]
    pub fn drained(&self) -> f64 {
        let (from, left) = (self.drained_from.load(Ordering::Acquire), self.connections());
        match (self.is_draining(), from) {
            (false, _) => 0.0,
            (true, 0) => 1.0,
            (true, from) => 1.0 - (left.min(from) as f64 / from as f64),
        }
    }

    /// Whether the replica goes away.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// A part of the replica has ended that should not have: it is to be restarted.
    pub fn set_broken(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// Whether the replica works.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.broken.load(Ordering::Acquire)
    }

    /// Connections held now.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Acquire)
    }

    /// Connections that were asked to reconnect elsewhere and are still here.
    #[must_use]
    pub fn moving(&self) -> u64 {
        self.moving.load(Ordering::Acquire)
    }

    /// Connections that may be held.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes a place for a connection.
    ///
    /// # Errors
    /// Why there is none.
    pub fn admit(self: &Arc<Self>) -> Result<Place, NotReady> {
        if self.is_draining() {
            return Err(NotReady::Draining);
        }
        let taken = |count: u64| (count < self.limit).then_some(count + 1);
        match self.connections.fetch_update(Ordering::AcqRel, Ordering::Acquire, taken) {
            Ok(_) => Ok(Place { health: self.clone(), moving: Cell::new(false) }),
            Err(_) => Err(NotReady::Full),
        }
    }

    /// Whether new connections may come.
    ///
    /// # Errors
    /// What keeps them away.
    pub fn ready(&self) -> Result<(), NotReady> {
        if self.is_draining() {
            Err(NotReady::Draining)
        } else if !self.link_known.load(Ordering::Acquire) || self.keys_missing.load(Ordering::Acquire) {
            Err(NotReady::Starting)
        } else if self.connections() >= self.limit {
            Err(NotReady::Full)
        } else {
            Ok(())
        }
    }
}

/// One connection's place; given back when dropped, whatever way the connection ends.
#[derive(Debug)]
pub struct Place {
    health: Arc<Health>,
    moving: Cell<bool>,
}

impl Place {
    /// The connection is asked to reconnect elsewhere; false when it has been already.
    pub fn ask_to_move(&self) -> bool {
        let first = !self.moving.replace(true);
        if first {
            self.health.moving.fetch_add(1, Ordering::AcqRel);
        }
        first
    }

    /// Whether the connection was asked to reconnect elsewhere.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.moving.get()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.moving.get() {
            self.health.moving.fetch_sub(1, Ordering::AcqRel);
        }
        self.health.connections.fetch_sub(1, Ordering::AcqRel);
    }
}
