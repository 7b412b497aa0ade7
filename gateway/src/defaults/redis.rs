//! How the gateway speaks with Redis: its links, its reads of a log, and the counts that replicas share there.

use std::time::Duration;

/// Channels in one SUBSCRIBE.
pub(crate) const SUBSCRIBE_CHUNK: usize = 256;

/// Connecting to Redis, and each answer from it.
pub(crate) const REDIS_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// An answer that takes longer counts as none.
pub(crate) const REDIS_RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the link is probed, and how many probes in a row may stay unheard before it is replaced. A dead or deaf
/// link is found within three intervals; a Redis that pauses for a second or two is not given up.
pub(crate) const PROBE_INTERVAL: Duration = Duration::from_secs(3);
/// See [`PROBE_INTERVAL`].
pub(crate) const PROBE_MISSES: u32 = 2;
/// After a failover every replica has noticed by then: three probe intervals, and the way to the new master.
pub(crate) const FAILOVER_SETTLES: Duration = Duration::from_secs(10);
/// How often a gateway asks a cluster who serves what. A slot that was moved is known by a push before; a primary that was
/// replaced while it is paused, by this alone.
pub(crate) const TOPOLOGY_INTERVAL: Duration = Duration::from_secs(3);
/// Where there is a reason to ask sooner, this long after the last time at the least; doubling while it does not help.
pub(crate) const TOPOLOGY_PAUSE: Duration = Duration::from_millis(100);
/// Reports of links that the keeper has not taken yet. A link waits then; announcements do not go this way.
pub(crate) const SHARD_REPORTS: usize = 256;
/// Reconnecting begins with at most this delay and doubles up to the second. With the time that an attempt may take it is
/// under five seconds: a replica that was cut off knows by then whom to cut off.
pub(crate) const REDIS_BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// A read of the log that failed is tried again after at most the first, doubling up to the second.
pub(crate) const READ_RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Keys that `gateway carry` asks for at once, and how long an answer may take: a page of the largest logs is some
/// hundred MB at the worst, a page of usual ones one.
pub(crate) const CARRY_PAGE: usize = 100;
/// See [`CARRY_PAGE`].
pub(crate) const CARRY_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the counts of a replica that has gone still count on the others. A Redis that pauses for some seconds costs
/// nobody its lease.
pub(crate) const QUOTA_LEASE: Duration = Duration::from_secs(15);
/// A lease is renewed so often: two renewals may fail.
pub(crate) const QUOTA_RENEWAL: Duration = Duration::from_secs(5);
/// How long a connect waits to hear of the other replicas. A healthy Redis answers in a millisecond.
pub(crate) const QUOTA_PATIENCE: Duration = Duration::from_millis(250);
/// After a failure nobody waits at all until this has passed.
pub(crate) const QUOTA_RETRY: Duration = Duration::from_secs(1);
/// After an outage of Redis the replicas come back one after the other; by then all have told it what they have, and
/// whoever was let in meanwhile is asked about.
pub(crate) const QUOTA_SETTLES: Duration = REDIS_BACKOFF.1;
/// Questions that are asked together: each takes the script some 2 us for each other replica, while Redis serves nobody else.
pub(crate) const QUOTA_BATCH: usize = 64;
/// Questions that wait. Past that a connect is let in by this replica's own count.
pub(crate) const QUOTA_QUEUE: usize = 4096;
/// Counts in one command.
pub(crate) const QUOTA_WRITES: usize = 500;
