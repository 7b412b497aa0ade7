//! Reads of companies' logs: how many, how long, how much, and how often because something was missed.

use prometheus::{Histogram, IntCounter, Registry};

use super::{SECONDS, histogram, register};

/// Buckets of events: none, one, and up to many times the default retention.
const EVENTS: [f64; 6] = [0.0, 1.0, 10.0, 100.0, 1_000.0, 10_000.0];

/// Reads of companies' logs.
#[derive(Debug)]
pub struct LogMetrics {
    /// Reads that were begun.
    pub reads: IntCounter,
    /// Rooms that missed an event and went to their log for it.
    pub gaps: IntCounter,
    /// How long reads take.
    pub seconds: Histogram,
    /// How much they find.
    pub events: Histogram,
}

impl LogMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let counter = |name: &str, help: &str| register(registry, IntCounter::new(name, help));
        Self {
            reads: counter("gateway_log_reads_total", "Reads of a company's log"),
            gaps: counter("gateway_log_gaps_total", "Times a room missed an event and went to its log for it"),
            seconds: histogram(
                registry,
                "gateway_log_read_seconds",
                "How long a read of a company's log took",
                &SECONDS,
            ),
            events: histogram(
                registry,
                "gateway_log_read_events",
                "Events that a read of a company's log found",
                &EVENTS,
            ),
        }
    }
}
