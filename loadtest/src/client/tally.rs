//! What a reader counts: deliveries, their latency, and every break of the order.

use hdrhistogram::Histogram;
use shared::Cursor;

/// When an event of the wide room reached its sessions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Arrival {
    /// Sessions that have it.
    pub(crate) sessions: u32,
    /// The longest time from intended send to a session, in microseconds.
    pub(crate) last_us: u64,
}

/// The counts of one reader, or of several together.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// Events delivered, each counted once per session.
    pub(crate) delivered: u64,
    /// Events that came again or out of order.
    pub(crate) doubles: u64,
    /// Events missing between two that came.
    pub(crate) missing: u64,
    /// Sessions that ended, and of them the first reason.
    pub(crate) ended: u64,
    /// Why the first of them ended.
    pub(crate) first_end: Option<String>,
    /// `resync` frames: losses that the gateway admits.
    pub(crate) resyncs: u64,
    /// From intended send to receipt, in microseconds.
    pub(crate) latency: Histogram<u64>,
    /// When the first and the last delivery came, in microseconds since 1970.
    pub(crate) first_at: u64,
    /// See `first_at`.
    pub(crate) last_at: u64,
    /// By distance from the place where the sessions joined; kept only for the wide room.
    pub(crate) arrivals: Vec<Arrival>,
    /// Microseconds that the reader had nothing to do.
    pub(crate) waited_us: u64,
}

impl Tally {
    /// Nothing yet. `events` makes room for the arrivals of so many.
    pub(crate) fn new(events: usize) -> Self {
        Self {
            delivered: 0,
            doubles: 0,
            missing: 0,
            ended: 0,
            first_end: None,
            resyncs: 0,
            latency: histogram(),
            first_at: u64::MAX,
            last_at: 0,
            arrivals: vec![Arrival::default(); events],
            waited_us: 0,
        }
    }

    /// An event reached a session that stood at `last` and had joined at `joined`.
    pub(super) fn event(&mut self, id: Cursor, last: &mut Cursor, joined: u64, sent_at: Option<u64>, now: u64) {
        if !id.follows(*last) {
            if id <= *last {
                self.doubles += 1;
                return;
            }
            self.missing += if id.epoch == last.epoch { id.seq - last.seq - 1 } else { 1 };
        }
        *last = id;
        self.delivered += 1;
        self.first_at = self.first_at.min(now);
        self.last_at = self.last_at.max(now);
        let Some(sent_at) = sent_at else { return };
        let latency = now.saturating_sub(sent_at);
        self.latency.saturating_record(latency.max(1));
        if !self.arrivals.is_empty() {
            let index = usize::try_from(id.seq.saturating_sub(joined + 1)).unwrap_or(usize::MAX);
            if let Some(arrival) = self.arrivals.get_mut(index) {
                arrival.sessions += 1;
                arrival.last_us = arrival.last_us.max(latency);
            }
        }
    }

    /// Adds another reader's counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.doubles += other.doubles;
        self.missing += other.missing;
        self.ended += other.ended;
        self.first_end = self.first_end.take().or_else(|| other.first_end.clone());
        self.resyncs += other.resyncs;
        // Equal bounds on both sides: adding cannot fail.
        let _added = self.latency.add(&other.latency);
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        for (own, other) in self.arrivals.iter_mut().zip(&other.arrivals) {
            own.sessions += other.sessions;
            own.last_us = own.last_us.max(other.last_us);
        }
        self.waited_us += other.waited_us;
    }
}

/// One microsecond to one minute, three digits.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are constants that fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_checked_and_latency_counts_from_the_intended_send() {
        let mut tally = Tally::new(4);
        let mut last = Cursor { epoch: 7, seq: 10 };
        for (seq, now) in [(11, 1_500), (12, 1_700), (12, 1_800), (15, 2_000)] {
            tally.event(Cursor { epoch: 7, seq }, &mut last, 10, Some(1_000), now);
        }
        assert_eq!((tally.delivered, tally.doubles, tally.missing), (3, 1, 2));
        assert_eq!(tally.latency.len(), 3);
        assert_eq!((tally.latency.min(), tally.latency.max()), (500, 1_000));
        let arrived: Vec<(u32, u64)> = tally.arrivals.iter().map(|a| (a.sessions, a.last_us)).collect();
        assert_eq!(arrived, [(1, 500), (1, 700), (0, 0), (0, 0)]);
    }

    #[test]
    fn readers_add_up() {
        let mut one = Tally::new(1);
        let mut other = Tally::new(1);
        let id = Cursor { epoch: 7, seq: 1 };
        one.event(id, &mut Cursor::EMPTY.clone(), 0, Some(1), 5);
        other.event(id, &mut Cursor::EMPTY.clone(), 0, Some(1), 9);
        one.add(&other);
        assert_eq!((one.delivered, one.latency.len(), one.last_at), (2, 2, 9));
        assert_eq!((one.arrivals[0].sessions, one.arrivals[0].last_us), (2, 8));
    }
}
