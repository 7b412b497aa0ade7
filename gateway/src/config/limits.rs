use clap::Args;

use crate::defaults::RESERVED_DESCRIPTORS;

/// Caps.
#[derive(Debug, Clone, Args)]
pub struct LimitsConfig {
    /// Connections that this replica holds [default: the limit of open files, less a reserve]
    #[arg(long, env = "GATEWAY_MAX_CONNECTIONS", value_name = "N", hide_env_values = true)]
    pub max_connections: Option<u64>,
}

impl LimitsConfig {
    /// The cap on connections, with the limit of open files raised as far as it goes.
    #[must_use]
    pub fn connection_cap(&self) -> u64 {
        let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
        let possible = descriptors.saturating_sub(RESERVED_DESCRIPTORS).max(1);
        self.max_connections.map_or(possible, |wanted| wanted.min(possible))
    }
}
