use clap::Args;

use crate::defaults::RESERVED_DESCRIPTORS;

/// Caps.
#[derive(Debug, Clone, Default, Args)]
pub struct LimitsConfig {
    /// Connections that this replica holds [default: the limit of open files, less a reserve]
    #[arg(long, env = "GATEWAY_MAX_CONNECTIONS", value_name = "N", hide_env_values = true)]
    pub max_connections: Option<u64>,
    /// Connections of one company on all replicas together; 0: any number
    #[arg(
        long,
        env = "GATEWAY_MAX_CONNECTIONS_PER_COMPANY",
        value_name = "N",
        default_value_t = 0,
        hide_env_values = true
    )]
    pub max_connections_per_company: u32,
    /// Connections of one user on all replicas together; 0: any number
    #[arg(
        long,
        env = "GATEWAY_MAX_CONNECTIONS_PER_USER",
        value_name = "N",
        default_value_t = 0,
        hide_env_values = true
    )]
    pub max_connections_per_user: u32,
    /// Sessions that may begin on this replica in a second, polls included; 0: any number
    #[arg(long, env = "GATEWAY_CONNECTS_PER_SECOND", value_name = "N", default_value_t = 0, hide_env_values = true)]
    pub connects_per_second: u32,
    /// Events that a publisher may post to this replica in a second; 0: any number
    #[arg(long, env = "GATEWAY_PUBLISHES_PER_SECOND", value_name = "N", default_value_t = 0, hide_env_values = true)]
    pub publishes_per_second: u32,
}

impl LimitsConfig {
    /// The cap on connections of a program that may open so many files.
    #[must_use]
    pub fn connection_cap(&self, descriptors: u64) -> u64 {
        let possible = descriptors.saturating_sub(RESERVED_DESCRIPTORS).max(1);
        self.max_connections.map_or(possible, |wanted| wanted.min(possible))
    }
}

/// How many files the program may open, raised as far as it goes.
#[must_use]
pub fn raise_descriptors() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024)
}
