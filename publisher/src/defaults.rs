//! Every constant, with its reason.

use std::time::Duration;

/// Events kept per company. At one event a second it is a quarter of an hour of absence that resumes without a reload.
pub(crate) const MAX_EVENTS: u64 = 1_000;

/// How long an idle company's log is kept: a dashboard left overnight resumes in the morning.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(24 * 3_600);

/// How long an event id is remembered. Not a setting: the contract promises it to whoever retries.
pub(crate) const IDEMPOTENCY: Duration = Duration::from_secs(24 * 3_600);

/// A healthy Redis accepts in a millisecond; a second is past any hiccup that is worth waiting for.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A healthy Redis answers in a millisecond; a batch of the largest size takes some ten.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// All attempts together. A restart of Redis or a failover fits; an HTTP handler can still answer in time.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// Connections. Each carries any number of publishes at once (they are multiplexed); the second one keeps small
/// publishes from waiting behind a large batch. Throughput is the same with one to eight.
pub(crate) const POOL_SIZE: usize = 2;

/// The first pause between attempts is at most this long, then doubles. The first retry is mostly for a connection
/// that died while idle, and that is cured at once.
pub(crate) const BACKOFF_FIRST: Duration = Duration::from_millis(20);

/// No pause is longer, so that the return of Redis is noticed soon.
pub(crate) const BACKOFF_CAP: Duration = Duration::from_millis(500);

/// Events per run of the script: Redis serves nobody else meanwhile, and a hundred take about a millisecond.
pub(crate) const CHUNK_EVENTS: usize = 100;

/// Bytes per run of the script, at least one event: a slow network carries it well inside the response timeout.
pub(crate) const CHUNK_BYTES: usize = 512 * 1024;

/// Companies of one batch that are published at the same time.
pub(crate) const BATCH_CONCURRENCY: usize = 64;

/// Keepalive finds a peer that vanished in 15 + 3 x 5 s of idleness; a waiting publish finds it by its timeout.
pub(crate) const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
/// Between two probes.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Probes without an answer.
pub(crate) const KEEPALIVE_PROBES: u32 = 3;
/// What is written and not acknowledged for so long has no receiver.
pub(crate) const TCP_USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Where sentinels listen.
pub(crate) const SENTINEL_PORT: u16 = 26_379;

/// How long the answer of a sentinel may take. A healthy one answers in a millisecond.
pub(crate) const SENTINEL_TIMEOUT: Duration = Duration::from_secs(1);

/// After so long, whoever has answered is believed, majority or not: the rest of the connect timeout is for the master.
pub(crate) const SENTINEL_PATIENCE: Duration = Duration::from_millis(300);

/// Behind sentinels, how long a line is believed to lead to the master before they are asked again. What a replaced
/// master takes meanwhile is lost; it costs a publish in a second a millisecond.
pub(crate) const MASTER_CHECK: Duration = Duration::from_secs(1);

/// How old a cluster's topology may become. A slot that has moved is found by its first publish, so this only tidies up.
pub(crate) const TOPOLOGY_AGE: Duration = Duration::from_secs(30);

/// After something went wrong it is asked for anew, but no sooner than this after the last time.
pub(crate) const TOPOLOGY_PAUSE: Duration = Duration::from_millis(250);

/// Revocations in force at a time, of all companies together. Every gateway holds all of them: 100,000 are some 30 MB.
/// One more is refused, for none may be forgotten before its end.
pub(crate) const MAX_REVOCATIONS: usize = 100_000;
