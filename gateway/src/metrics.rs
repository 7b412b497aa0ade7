//! What the replica counts, for Prometheus. No label carries a company or a user.

use std::sync::Arc;

use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    core::Collector,
};
use shared::CloseCode;

use self::shards::Shards;
use crate::{health::Health, room::Outcome};

mod fleet;
mod latency;
mod logs;
mod moves;
mod series;
mod shards;

pub use fleet::FleetMetrics;
pub use latency::Latency;
pub use logs::LogMetrics;
pub use moves::MoveMetrics;

/// Buckets of times: from half a millisecond, which an idle replica takes, to ten seconds, when something is broken.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Every metric of the program, as `docs/metrics.md` has them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    connections: IntGaugeVec,
    connections_limit: IntGauge,
    /// Rooms that this replica follows.
    pub rooms: IntGauge,
    /// WebSockets that were accepted.
    pub accepted: IntCounter,
    rejected: IntCounterVec,
    /// Connections that this replica's own count alone let in.
    pub quota_unproven: IntCounter,
    closed: IntCounterVec,
    admitted: IntCounterVec,
    client_errors: IntCounterVec,
    /// Events handed to a session's socket or queue.
    pub deliveries: IntCounter,
    /// Events encoded: once per replica, however many sessions there are.
    pub frames_encoded: IntCounter,
    /// Messages that the backplane announced.
    pub backplane_messages: IntCounter,
    backplane_dropped: IntCounterVec,
    /// The link to Redis, or those to the shards of a cluster.
    pub shards: Shards,
    /// Times that the link to Redis was lost.
    pub backplane_disconnects: IntCounter,
    /// Reads of companies' logs, and why.
    pub logs: LogMetrics,
    /// Rooms that could not prove that nothing is missing.
    pub resyncs: IntCounter,
    published: IntCounterVec,
    /// Revocations in force.
    pub revocations: IntGauge,
    revoked: IntCounterVec,
    renewals: IntCounterVec,
    key_fetches: IntCounterVec,
    publishes_refused: IntCounterVec,
    /// From a probe's being published to its being heard.
    pub probe: Histogram,
    /// How old events are when they are written.
    pub latency: Latency,
    ready: IntGauge,
    /// Bytes that wait for clients to read them.
    pub unsent: IntGauge,
    /// Sessions that were asked to go elsewhere.
    pub moves: MoveMetrics,
    /// What is known of the other replicas.
    pub fleet: FleetMetrics,
}

/// Registering fails only for a name that is malformed or taken, which the first start of the program would show.
fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: prometheus::Result<C>) -> C {
    let collector = collector.expect("a well-formed metric");
    registry.register(Box::new(collector.clone())).expect("a metric name that is not taken");
    collector
}

fn histogram(registry: &Registry, name: &str, help: &str, buckets: &[f64]) -> Histogram {
    register(registry, Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())))
}

impl Metrics {
    /// Registers every metric.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| register(&registry, IntCounter::new(name, help));
        let gauge = |name: &str, help: &str| register(&registry, IntGauge::new(name, help));
        let counters = |name: &str, help: &str, label: &str| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), &[label]))
        };
        let metrics = Self {
            connections: register(
                &registry,
                IntGaugeVec::new(Opts::new("gateway_connections", "Connections held, by state"), &["state"]),
            ),
            connections_limit: gauge("gateway_connections_limit", "Connections that this replica may hold"),
            rooms: gauge("gateway_rooms", "Companies that this replica follows"),
            accepted: counter("gateway_sessions_accepted_total", "WebSocket sessions accepted"),
            rejected: counters(
                "gateway_handshakes_rejected_total",
                "Handshakes and requests refused, by reason",
                "reason",
            ),
            quota_unproven: counter(
                "gateway_quota_unproven_total",
                "Connections let in by this replica's own count, because Redis did not say what the others have",
            ),
            closed: counters("gateway_sessions_closed_total", "Sessions ended, by close code", "code"),
            admitted: counters("gateway_resumes_total", "Sessions let in, by what became of their cursor", "outcome"),
            client_errors: counters("gateway_client_errors_total", "Frames not understood, by code", "code"),
            deliveries: counter("gateway_deliveries_total", "Events handed to sessions"),
            frames_encoded: counter("gateway_frames_encoded_total", "Events encoded for this replica's sessions"),
            backplane_messages: counter("gateway_backplane_messages_total", "Messages announced by the backplane"),
            backplane_dropped: counters(
                "gateway_backplane_messages_dropped_total",
                "Announced messages dropped, by reason",
                "reason",
            ),
            shards: Shards::new(&registry),
            backplane_disconnects: counter("gateway_backplane_disconnects_total", "Times the link to Redis was lost"),
            logs: LogMetrics::new(&registry),
            resyncs: counter("gateway_resyncs_total", "Rooms that could not prove that nothing is missing"),
            published: counters("gateway_published_total", "Events published over HTTP, by result", "result"),
            revocations: gauge("gateway_revocations", "Revocations in force"),
            revoked: counters(
                "gateway_revocation_requests_total",
                "Revocations asked for over HTTP, by result",
                "result",
            ),
            renewals: counters("gateway_renewals_total", "Tokens renewed in place, by result", "result"),
            key_fetches: counters("gateway_key_fetches_total", "Fetches of the key set, by result", "result"),
            publishes_refused: counters(
                "gateway_publishes_refused_total",
                "Requests to publish refused, by reason",
                "reason",
            ),
            probe: histogram(
                &registry,
                "gateway_delivery_probe_seconds",
                "Round trip of a probe: published, and heard over the subscription",
                &SECONDS,
            ),
            latency: Latency::new(&registry),
            ready: gauge("gateway_ready", "1 while new connections may come"),
            unsent: gauge("gateway_unsent_bytes", "Bytes that wait for clients to read them"),
            moves: MoveMetrics::new(&registry),
            fleet: FleetMetrics::new(&registry),
            registry: registry.clone(),
        };
        register(
            &registry,
            IntGaugeVec::new(Opts::new("gateway_build_info", "1; the label says which release runs"), &["version"]),
        )
        .with_label_values(&[env!("CARGO_PKG_VERSION")])
        .set(1);
        metrics.begin_series();
        Arc::new(metrics)
    }

    /// Counts an announced message that was dropped.
    pub fn dropped(&self, reason: &str) {
        self.backplane_dropped.with_label_values(&[reason]).inc();
    }

    /// Counts a handshake that was refused.
    pub fn rejected(&self, reason: &str) {
        self.rejected.with_label_values(&[reason]).inc();
    }

    /// Counts a session's end; `None`: without a close frame.
    pub fn closed(&self, code: Option<CloseCode>) {
        match code {
            Some(code) => self.closed.with_label_values(&[&code.code().to_string()]).inc(),
            None => self.closed.with_label_values(&["none"]).inc(),
        }
    }

    /// Counts a frame that was not understood.
    pub fn client_error(&self, code: &str) {
        self.client_errors.with_label_values(&[code]).inc();
    }

    /// Counts how a session was let in.
    pub fn admitted(&self, outcome: &Outcome) {
        let label = match outcome {
            Outcome::Fresh(_) => "fresh",
            Outcome::Recovered(..) => "recovered",
            Outcome::Lost(..) => "lost",
            Outcome::Deferred(_) => "deferred",
        };
        self.admitted.with_label_values(&[label]).inc();
    }

    /// Counts events published over HTTP.
    pub fn published(&self, result: &str, count: usize) {
        self.published.with_label_values(&[result]).inc_by(count as u64);
    }

    /// Counts a revocation asked for over HTTP.
    pub fn revoked(&self, result: &str) {
        self.revoked.with_label_values(&[result]).inc();
    }

    /// Counts a token that came in an `auth` frame.
    pub fn renewed(&self, result: &str) {
        self.renewals.with_label_values(&[result]).inc();
    }

    /// Counts a fetch of the key set.
    pub fn keys_fetched(&self, well: bool) {
        self.key_fetches.with_label_values(&[if well { "ok" } else { "failed" }]).inc();
    }

    /// Counts a request to publish that was refused.
    pub fn publish_refused(&self, reason: &str) {
        self.publishes_refused.with_label_values(&[reason]).inc();
    }

    /// Everything, in Prometheus' text format.
    #[must_use]
    pub fn render(&self, health: &Health) -> Vec<u8> {
        let connections = i64::try_from(health.connections()).unwrap_or(i64::MAX);
        let (active, draining) = if health.is_draining() { (0, connections) } else { (connections, 0) };
        self.connections.with_label_values(&["active"]).set(active);
        self.connections.with_label_values(&["draining"]).set(draining);
        self.moves.look_at(health);
        self.ready.set(i64::from(health.ready().is_ok()));
        self.connections_limit.set(i64::try_from(health.limit()).unwrap_or(i64::MAX));
        self.shards.show();
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect("metrics encode into memory");
        text
    }
}
