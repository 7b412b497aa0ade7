//! What all receivers of a run measure together: how late events come, and how many connections end in a second.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use hdrhistogram::Histogram;
use tokio::time::Instant;

/// The measurements of one phase.
#[derive(Debug)]
pub(crate) struct Phase {
    /// From publish to apply, in milliseconds.
    pub(crate) latency: Histogram<u64>,
    /// Connections that ended, by second of the phase.
    pub(crate) cuts: Vec<u32>,
    started: Instant,
}

/// Takes measurements, phase by phase.
#[derive(Debug)]
pub(crate) struct Meter(Mutex<Phase>);

impl Phase {
    fn begin() -> Self {
        let latency = Histogram::new_with_bounds(1, 600_000, 3).expect("the bounds are constants that fit");
        Self { latency, cuts: vec![], started: Instant::now() }
    }
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Phase::begin()))
    }

    /// Ends a phase and begins the next.
    pub(crate) fn next_phase(&self) -> Phase {
        std::mem::replace(&mut self.lock(), Phase::begin())
    }

    /// Connections that ended so far, by second of the phase.
    pub(crate) fn cuts(&self) -> Vec<u32> {
        self.lock().cuts.clone()
    }

    /// An event was applied that had been published then. All on one machine, so by one clock.
    pub(super) fn applied(&self, published: DateTime<Utc>) {
        let late = (Utc::now() - published).num_milliseconds();
        self.lock().latency.saturating_record(u64::try_from(late).unwrap_or_default().max(1));
    }

    /// A connection has ended.
    pub(super) fn cut(&self) {
        let mut phase = self.lock();
        let second = usize::try_from(phase.started.elapsed().as_secs()).unwrap_or_default();
        if phase.cuts.len() <= second {
            phase.cuts.resize(second + 1, 0);
        }
        phase.cuts[second] += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
