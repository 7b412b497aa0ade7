//! Every constant of the gateway, with its reason. Those of its ways to Redis have a file of their own.

use std::time::Duration;

mod redis;

pub(crate) use self::redis::*;

/// File descriptors kept free of sessions: listeners, Redis, logs, plain HTTP requests.
pub(crate) const RESERVED_DESCRIPTORS: u64 = 128;

/// Of those, descriptors that no socket of a client is given: what asks the probes must be answered, and a link to Redis
/// that broke replaced, however many strangers hold their sockets open.
pub(crate) const RESERVED_FOR_OTHERS: u64 = 64;

/// Sockets that may be open without a session: on their way to one, or asking for something else. With the buffers of an
/// HTTP connection (some 16 KiB) it is 128 MiB at the worst; twice what the kernel's queue holds in a storm.
pub(crate) const MAX_WAITING: u64 = 8192;

/// Connects that may come at once are those of so long a time: a page with all its tabs, not a storm.
pub(crate) const CONNECT_BURST: Duration = Duration::from_millis(500);

/// Publishers that have been quiet are forgotten each time that so many requests have come.
pub(crate) const PUBLISHER_SWEEP: u32 = 1024;

/// What `Retry-After` says when a company or a user has too many connections, in seconds: one of them has to go first.
pub(crate) const QUOTA_RETRY_AFTER_SECS: u32 = 10;

/// HS256 keys shorter than its hash can be guessed offline.
pub(crate) const MIN_SECRET_BYTES: usize = 32;

/// A token travels in one header line; longer ones are no tokens of ours.
pub(crate) const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// How far two clocks may be apart when a token is checked.
pub(crate) const TOKEN_LEEWAY: Duration = Duration::from_secs(5);

/// RSA keys of fewer than 2048 bits are not to be trusted.
pub(crate) const MIN_RSA_BYTES: usize = 256;

/// How often a key set is fetched, so how long a key that was withdrawn may still count. A new key is fetched when it is
/// first met.
pub(crate) const JWKS_REFRESH: Duration = Duration::from_secs(300);
/// A token with an unknown key makes a fetch begin, but not within this time after the last: anybody can make tokens up.
pub(crate) const JWKS_INTERVAL: Duration = Duration::from_secs(30);
/// A fetch that failed is tried again after the first, doubling up to the second.
pub(crate) const JWKS_BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Connecting to the key set's server, and the whole of a fetch.
pub(crate) const JWKS_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// See [`JWKS_CONNECT_TIMEOUT`].
pub(crate) const JWKS_TIMEOUT: Duration = Duration::from_secs(5);
/// A key set has a few keys of at most a kilobyte; some bring certificates.
pub(crate) const MAX_JWKS_BYTES: usize = 256 * 1024;
/// Keys of a set that are kept.
pub(crate) const MAX_JWKS_KEYS: usize = 100;

/// How long a revocation lasts by default. Longer than most tokens live; too short would let them count again.
pub(crate) const REVOCATION_SECS: u64 = 7 * 24 * 3600;
/// The body of a revocation request: three ids and a date.
pub(crate) const MAX_REVOCATION_BODY: usize = 8 * 1024;
/// Revocations that the embedded backplane keeps, as many as the publisher lets Redis keep.
pub(crate) const MAX_REVOCATIONS: usize = 100_000;
/// How often the whole set is read again, in case that an announcement was lost.
pub(crate) const REVOCATIONS_REREAD: Duration = Duration::from_secs(30);
/// Revocations in one page of such a read.
pub(crate) const REVOCATIONS_PAGE: isize = 1000;
/// A worker looks through its sessions at most so often, however many revocations come.
pub(crate) const REVOCATIONS_PACE: Duration = Duration::from_millis(100);

/// Clients send a token at most, so 16 KiB is generous.
pub(crate) const MAX_CLIENT_MESSAGE: usize = 16 * 1024;

/// Places in a session's mailbox, beside one for each who sends to it: nobody is refused. A session gets one message in its
/// life, the one that ends it, and now and then a second that says the same.
pub(crate) const SESSION_MAILBOX: usize = 16;

/// Bytes that may wait for one reader before it counts as slow.
pub(crate) const MAX_UNSENT: usize = 1024 * 1024;

/// Deliveries that wait together are written together, in pieces of at most this size.
pub(crate) const MAX_COALESCED: usize = 128 * 1024;

/// How long a socket may take nothing at all while something waits for it. What a client was owed when it joined does not
/// make it slow, but it has to read.
pub(crate) const STALLED: Duration = Duration::from_secs(30);

/// Bytes that a room's sessions are written before other tasks, their sockets' among them, get their turn.
pub(crate) const MAX_FLUSH: usize = 256 * 1024;

/// Backlogs up to this size are joined into one piece; larger ones are queued frame by frame, shared by all sessions.
pub(crate) const MAX_JOINED_BACKLOG: usize = 16 * 1024;

/// Patterns in a client's `types`: there are nine types in the catalog.
pub(crate) const MAX_TYPE_PATTERNS: usize = 64;

/// The body of a publish request must have arrived by then.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Frames that are not understood before a session is closed, in a minute.
pub(crate) const MAX_MISTAKES_PER_MINUTE: u8 = 20;

/// Frames of a client in a minute, pings and pieces among them: a client sends a ping or a pong with each heartbeat, which is
/// a second apart at the least, and now and then a token.
pub(crate) const MAX_FRAMES_PER_MINUTE: u16 = 300;

/// How long a closed session may take to read what was queued and the close frame. Generous, because the code tells the
/// client what to do next.
pub(crate) const CLOSE_GRACE: Duration = Duration::from_secs(30);

/// How long a session may wait for its welcome: Redis has answered by then, or counts as down.
pub(crate) const JOIN_TIMEOUT: Duration = Duration::from_secs(15);

/// A session that was silent for this many heartbeats, though each carries a ping, is gone.
pub(crate) const SILENT_HEARTBEATS: u32 = 2;

/// How often a replica tells the others what it holds. At 100 replicas Redis answers 50 such questions a second.
pub(crate) const FLEET_BEAT: Duration = Duration::from_secs(2);

/// A report whose beat has not gone up for so long says nothing any more: three beats.
pub(crate) const FLEET_LEASE: Duration = Duration::from_secs(6);

/// A report that has stood still for so long is taken away.
pub(crate) const FLEET_FORGET: Duration = Duration::from_secs(60);

/// So much above the mean is clearly more, well below the 1.25 times at which a replica would be in want of another one.
pub(crate) const FLEET_CLEARLY_MORE: f64 = 0.15;

/// For so long a replica at the usual pace of one percent holds clearly more before it moves anybody. A rollout starts a
/// replica some seconds before it drains another, whose sessions make the fleet level again.
pub(crate) const FLEET_PATIENCE: Duration = Duration::from_secs(30);

/// An effort to become level may move so many times what was too much: some come back.
pub(crate) const FLEET_BUDGET: f64 = 2.0;

/// Beats between an effort that was spent in vain and the next: five minutes. The load balancer does not do its part.
pub(crate) const FLEET_REST_BEATS: u32 = 150;

/// Percent of its sessions that a replica moves in a second: when it is on, and at the most.
pub(crate) const REBALANCE_PERCENT: (u8, u8) = (1, 20);

/// An event's `time` further away from now than this says when something happened, not when it was published.
pub(crate) const PUBLISH_TIME_BELIEVED: Duration = Duration::from_secs(300);

/// A collector that has not taken a batch of spans by then will not.
pub(crate) const TRACE_EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the program's end may wait for the last spans.
pub(crate) const TRACE_FLUSH: Duration = Duration::from_secs(2);

/// How often a worker looks at its sessions' clocks.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// How often a closed session's socket is still read for the answer to its close frame. Who has more to say than was on its
/// way does not listen.
pub(crate) const MAX_LATE_READS: u8 = 32;

/// Reading buffer of a worker, shared by its sessions; clients send little.
pub(crate) const READ_BUFFER: usize = 16 * 1024;

/// A request's head must have arrived whole so long after its first byte.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// A client's first word is waited for as long, in steps of one second: one in which the machine was out of
/// breath does not count.
pub(crate) const HANDSHAKE_STEPS: u32 = 5;
/// See [`HANDSHAKE_STEPS`].
pub(crate) const HANDSHAKE_STEP: Duration = Duration::from_secs(1);

/// How long an idle HTTP connection is kept. It holds a descriptor that a session could have.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long the kernel keeps a connection whose peer takes nothing: longer than a closed session's grace, so that it is
/// for those who would otherwise stay for ever, such as an event stream that nobody reads.
pub(crate) const TCP_USER_TIMEOUT: Duration = Duration::from_secs(90);

/// Pending connections in the kernel: a storm after an outage must fit.
pub(crate) const LISTEN_BACKLOG: i32 = 4096;

/// How long a drain waits, behind its last close frame, for clients to read what was queued and to answer.
pub(crate) const DRAIN_GRACE: Duration = Duration::from_secs(3);

/// How often a drain says how far it has come.
pub(crate) const DRAIN_REPORT: Duration = Duration::from_secs(5);

/// How long a session that was asked to reconnect may take, once its moment has come: time for a new connection, before
/// the old one is closed.
pub(crate) const MOVE_GRACE: Duration = Duration::from_secs(3);

/// Commands on their way from the dispatcher to one worker. When it is full the dispatcher waits.
pub(crate) const WORKER_QUEUE: usize = 4096;

/// Requests on their way from workers to the dispatcher: one per joining session. Full means overloaded.
pub(crate) const DISPATCHER_QUEUE: usize = 65_536;

/// Messages on their way from the backplane to the dispatcher. Full means that messages are dropped, which every room
/// then repairs from the log.
pub(crate) const SIGNAL_QUEUE: usize = 16_384;

/// How many queued items a task takes before it lets others run.
pub(crate) const BATCH: usize = 512;

/// Recent events that a room keeps for sessions that return: the publisher's default retention.
pub(crate) const RECENT_EVENTS: usize = 1000;

/// Memory for recent events, all rooms of a replica together.
pub(crate) const RECENT_BYTES_TOTAL: usize = 64 * 1024 * 1024;

/// Bounds on one room's share of that.
pub(crate) const RECENT_BYTES_ROOM: (usize, usize) = (16 * 1024, 1024 * 1024);

/// Live events that a room holds back while it reads its log; more are dropped and read from the log.
pub(crate) const MAX_HELD: usize = 1000;

/// How often a room reads its log again for an event that was announced but is not in it. The first read may have been
/// asked for before the event happened.
pub(crate) const MAX_REREADS: u8 = 2;

/// For how long having seen an empty log proves that nothing before a log's first event was missed.
pub(crate) const EMPTY_LOG_PROOF: Duration = Duration::from_secs(600);

/// Events in one page of the log.
pub(crate) const PAGE: usize = 500;

/// Events that one catch-up reads at most; a session further behind has `lost`.
pub(crate) const MAX_CATCH_UP: usize = 20_000;

/// Bytes that one catch-up reads at most: the default retention, were every event of the largest size.
pub(crate) const MAX_CATCH_UP_BYTES: usize = 80 * 1024 * 1024;

/// Reads of the log under way at once.
pub(crate) const CONCURRENT_READS: usize = 8;

/// Screens that read a company's newest events at once; they wait for each other, not rooms for them.
pub(crate) const CONCURRENT_PAINTS: usize = 4;
/// Events in one page of such a read, and bytes after which it has enough.
pub(crate) const PAINT_PAGE: usize = 100;
/// See [`PAINT_PAGE`].
pub(crate) const MAX_PAINT_BYTES: usize = 16 * 1024 * 1024;

/// How long a room without sessions stays subscribed: a page reload takes seconds.
pub(crate) const ROOM_LINGER: Duration = Duration::from_secs(30);

/// How often a room that hears nothing compares its position with the log: an announcement may have been lost without
/// any sign. The field's leader waits 40 s before it disconnects the client.
pub(crate) const IDLE_CHECK: Duration = Duration::from_secs(20);

/// Events in one publish request.
pub(crate) const MAX_PUBLISH_BATCH: usize = 100;
/// How long `GET /v1/openapi.json` may be kept, in seconds: it changes with a release alone.
pub(crate) const OPENAPI_MAX_AGE_SECS: u32 = 3600;
/// `GET /v1/events`: default and largest `limit`.
pub(crate) const EVENTS_LIMIT: (usize, usize) = (50, 1000);

/// `GET /v1/poll`: default and longest `wait`, in seconds. Below the 60 s after which proxies give up.
pub(crate) const POLL_WAIT_SECS: (u64, u64) = (25, 55);
/// How long a poll that does not want to wait may still take to read the log.
pub(crate) const POLL_GRACE: Duration = Duration::from_secs(5);
/// What an event stream tells its client to wait before it reconnects, in milliseconds; drawn anew for each.
pub(crate) const SSE_RETRY_MS: (u32, u32) = (500, 3000);

/// Retention of the embedded backplane, as the publisher's default.
pub(crate) const EMBEDDED_LOG_EVENTS: usize = 1000;
/// Age at which the embedded backplane forgets an idle log, and event ids.
pub(crate) const EMBEDDED_MAX_AGE: Duration = Duration::from_secs(24 * 3600);
/// Event ids that the embedded backplane remembers per company.
pub(crate) const EMBEDDED_EVENT_IDS: usize = 10_000;

/// What `Retry-After` says when a replica is full or leaves, in seconds.
pub(crate) const RETRY_AFTER_SECS: u32 = 5;
