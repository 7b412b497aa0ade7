//! Sessions that were asked to go elsewhere.

use prometheus::{Gauge, IntCounterVec, IntGauge, Opts, Registry};

use super::{register, series::begin};
use crate::{health::Health, registry::Why};

/// Sessions that were asked to go elsewhere.
#[derive(Debug)]
pub struct MoveMetrics {
    asked: IntCounterVec,
    moving: IntGauge,
    drained: Gauge,
}

impl MoveMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let help = "Sessions asked to reconnect elsewhere, by reason";
        let asked = IntCounterVec::new(Opts::new("gateway_moves_asked_total", help), &["reason"]);
        let asked = register(registry, asked);
        begin(&asked, &Why::ALL.map(Why::label));
        let help = "Sessions asked to reconnect elsewhere that have not left yet";
        let moving = register(registry, IntGauge::new("gateway_sessions_moving", help));
        let help = "Share of the sessions held when the drain began that have left; 0 before";
        let drained = register(registry, Gauge::new("gateway_drain_progress_ratio", help));
        Self { asked, moving, drained }
    }

    /// Counts a session that was asked.
    pub fn asked(&self, why: Why) {
        self.asked.with_label_values(&[why.label()]).inc();
    }

    /// Takes what the replica's state says.
    pub(super) fn look_at(&self, health: &Health) {
        self.moving.set(i64::try_from(health.moving()).unwrap_or(i64::MAX));
        self.drained.set(health.drained());
    }
}
