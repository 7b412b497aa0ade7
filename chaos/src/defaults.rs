//! Every constant, with its reason.

use std::time::Duration;

/// What any step of a healthy world takes at the most on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Every receiver must have caught up by then: the gateway's slowest backoff to Redis, twice, and room.
pub(crate) const RECOVERY: Duration = Duration::from_secs(30);

/// The state of another process is asked for this often.
pub(crate) const PROBE_INTERVAL: Duration = Duration::from_millis(20);

/// An answer of Redis or of a gateway's admin side.
pub(crate) const ADMIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Short, so that dead connections are found within a fault.
pub(crate) const HEARTBEAT_SECS: u32 = 2;

/// A receiver that hears nothing for three heartbeats connects anew.
pub(crate) const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT_SECS as u64);

/// Drains are short too.
pub(crate) const DRAIN_SECS: u32 = 5;

/// Opening a session, through a balancer that has to find a live gateway.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(8);

/// Receivers come back after a random part of this, which doubles up to the second.
pub(crate) const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// What a poll waits for news.
pub(crate) const POLL_WAIT_SECS: u64 = 5;

/// A publish with all its attempts: long enough to ride out a restart, short enough to see errors in a fault.
pub(crate) const PUBLISH_DEADLINE: Duration = Duration::from_millis(1500);

/// What is published at once at the most: at 200 a second more than an outage of two deadlines needs.
pub(crate) const PUBLISHES_AT_ONCE: usize = 1024;

/// A fact whose fate is unclear is tried again so often under the same event id, then left in doubt.
pub(crate) const UNCLEAR_RETRIES: usize = 2;

/// One of so many facts goes through `POST /v1/events`.
pub(crate) const HTTP_SHARE: u32 = 8;

/// Bytes that a proxy carries at once.
pub(crate) const PROXY_BUFFER: usize = 16 * 1024;

/// Bytes of ballast where a fault needs weight: near the largest event.
pub(crate) const HEAVY: usize = 60 * 1024;

/// The name of the guarded master.
pub(crate) const SENTINEL_MASTER: &str = "mymaster";

/// One of so many receivers is on the line that some faults spoil.
pub(crate) const BAD_LINE_SHARE: usize = 8;
