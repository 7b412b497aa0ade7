//! What is known of the other replicas, and what follows from it.

use prometheus::{IntGauge, Registry};

use super::register;

/// The fleet, as this replica sees it.
#[derive(Debug)]
pub struct FleetMetrics {
    /// 1 while every replica's load is known and fresh.
    pub known: IntGauge,
    /// Replicas that take connections, this one included.
    pub replicas: IntGauge,
    /// Connections of those replicas together.
    pub connections: IntGauge,
    /// 1 while this replica moves sessions to others.
    pub rebalancing: IntGauge,
}

impl FleetMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let gauge = |name: &str, help: &str| register(registry, IntGauge::new(name, help));
        Self {
            known: gauge("gateway_fleet_known", "1 while every replica's load is known and fresh"),
            replicas: gauge(
                "gateway_fleet_replicas",
                "Replicas that take connections, as last heard, this one included",
            ),
            connections: gauge("gateway_fleet_connections", "Connections of those replicas together"),
            rebalancing: gauge("gateway_rebalancing", "1 while this replica moves sessions to others"),
        }
    }
}
