use std::{net::SocketAddr, num::NonZeroUsize};

use clap::Args;

/// Where the gateway listens, and with how many threads.
#[derive(Debug, Clone, Args)]
pub struct ListenConfig {
    /// Public address
    #[arg(
        long,
        env = "GATEWAY_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080",
        hide_env_values = true
    )]
    pub listen: SocketAddr,
    /// Address of metrics and probes; keep it private
    #[arg(
        long,
        env = "GATEWAY_ADMIN_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9090",
        hide_env_values = true
    )]
    pub admin_listen: SocketAddr,
    /// Worker threads [default: number of cores]
    #[arg(long, env = "GATEWAY_WORKERS", value_name = "N", hide_env_values = true)]
    pub workers: Option<NonZeroUsize>,
}

impl ListenConfig {
    /// The number of worker threads.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        self.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }
}
