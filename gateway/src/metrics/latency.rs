//! How old events are when they are written to sockets. One look at the clock for what is written together, not for each
//! socket: deliveries are what the program does most.

use std::{sync::Arc, time::Instant};

use prometheus::{Histogram, IntCounter, Registry};

use super::{SECONDS, histogram, register};
use crate::{clock, defaults::PUBLISH_TIME_BELIEVED, delivery::Delivery};

/// The two latencies of an event.
#[derive(Debug)]
pub struct Latency {
    publish_to_socket: Histogram,
    fanout: Histogram,
    ignored: IntCounter,
}

impl Latency {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            publish_to_socket: histogram(
                registry,
                "gateway_publish_to_socket_seconds",
                "From an event's publish time to its having been written to a worker's sessions",
                &SECONDS,
            ),
            fanout: histogram(
                registry,
                "gateway_fanout_seconds",
                "From hearing an event to its having been written to a worker's sessions",
                &SECONDS,
            ),
            ignored: register(
                registry,
                IntCounter::new(
                    "gateway_event_times_ignored_total",
                    "Events whose time is no publish time, and so in no latency",
                ),
            ),
        }
    }

    /// These events have just been written, or queued, to the last of a worker's sessions in a room.
    pub fn written(&self, events: &[Arc<Delivery>]) {
        let (now, now_ms) = (Instant::now(), clock::unix_millis() as i64);
        for timing in events.iter().filter_map(|event| event.timing) {
            self.fanout.observe(now.duration_since(timing.heard).as_secs_f64());
            let Some(published) = timing.published else { continue };
            let age_ms = now_ms.saturating_sub(published);
            if age_ms.unsigned_abs() > PUBLISH_TIME_BELIEVED.as_millis() as u64 {
                self.ignored.inc();
            } else {
                // The publisher's clock may be ahead of ours.
                self.publish_to_socket.observe(age_ms.max(0) as f64 / 1000.0);
            }
        }
    }
}
