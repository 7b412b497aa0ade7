//! What sessions that come and go see, counted together.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use hdrhistogram::Histogram;
use shared::Cursor;

use super::tally::histogram;

/// The counts of all sessions of a run. Those that only grow are read as they are.
pub(crate) struct Sightings {
    /// Events handled, each counted once per session.
    pub(crate) delivered: AtomicU64,
    /// Events that came again, or behind one that is newer.
    pub(crate) doubles: AtomicU64,
    /// Events missing between two that came.
    pub(crate) missing: AtomicU64,
    /// Times that a session was told that events may be missing.
    pub(crate) losses_told: AtomicU64,
    /// Sessions that were opened for the first time.
    pub(crate) opened: AtomicU64,
    /// Sessions that came back.
    pub(crate) reopened: AtomicU64,
    /// Attempts to open a session that failed: refused, or cut off on the way.
    pub(crate) refused: AtomicU64,
    /// Connections that ended without having been asked to move.
    pub(crate) cut: AtomicU64,
    live: Mutex<Histogram<u64>>,
    late: Mutex<Histogram<u64>>,
    /// The newest event of each session.
    places: Vec<AtomicU64>,
}

impl Sightings {
    /// Of so many sessions at the most.
    pub(crate) fn new(sessions: usize) -> Self {
        Self {
            delivered: AtomicU64::new(0),
            doubles: AtomicU64::new(0),
            missing: AtomicU64::new(0),
            losses_told: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            reopened: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            live: Mutex::new(histogram()),
            late: Mutex::new(histogram()),
            places: (0..sessions).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// An event reached a session that stands at `place`, on a connection opened at `since`.
    pub(super) fn event(
        &self,
        session: usize,
        id: Cursor,
        place: &mut Cursor,
        sent: Option<u64>,
        since: u64,
        now: u64,
    ) {
        if !id.follows(*place) {
            if id <= *place {
                self.doubles.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let missing = if id.epoch == place.epoch { id.seq - place.seq - 1 } else { 1 };
            self.missing.fetch_add(missing, Ordering::Relaxed);
        }
        self.stands(session, place, id);
        self.delivered.fetch_add(1, Ordering::Relaxed);
        if let Some(sent) = sent {
            // What was sent while nobody was connected waited for the client, not for the gateway.
            let histogram = if sent >= since { &self.live } else { &self.late };
            let latency = now.saturating_sub(sent).max(1);
            histogram.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(latency);
        }
    }

    /// A session goes on from a place.
    pub(super) fn stands(&self, session: usize, place: &mut Cursor, at: Cursor) {
        *place = at;
        if let Some(own) = self.places.get(session) {
            own.store(at.seq, Ordering::Relaxed);
        }
    }

    /// The number of the newest event that a session has.
    pub(crate) fn place(&self, session: usize) -> u64 {
        self.places.get(session).map_or(0, |place| place.load(Ordering::Relaxed))
    }

    /// Latencies since the last call, in microseconds: of events that came to a connected session, and of those that it
    /// caught up with.
    pub(crate) fn take_latencies(&self) -> (Histogram<u64>, Histogram<u64>) {
        let take = |histogram_of: &Mutex<Histogram<u64>>| {
            std::mem::replace(&mut *histogram_of.lock().unwrap_or_else(PoisonError::into_inner), histogram())
        };
        (take(&self.live), take(&self.late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_repetitions_are_counted_and_latency_is_kept_apart() {
        let sightings = Sightings::new(1);
        let mut place = Cursor { epoch: 7, seq: 10 };
        for (seq, sent) in [(11, 900), (12, 1_100), (12, 1_100), (15, 1_200)] {
            sightings.event(0, Cursor { epoch: 7, seq }, &mut place, Some(sent), 1_000, 2_000);
        }
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        assert_eq!((count(&sightings.delivered), count(&sightings.doubles), count(&sightings.missing)), (3, 1, 2));
        assert_eq!((sightings.place(0), place.seq), (15, 15));
        let (live, late) = sightings.take_latencies();
        assert_eq!((live.len(), late.len(), late.max()), (2, 1, 1_100));
        assert_eq!(sightings.take_latencies().0.len(), 0);
    }
}
