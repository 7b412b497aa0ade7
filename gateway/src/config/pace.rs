use std::time::Duration;

use clap::Args;

/// The pace of a session's life.
#[derive(Debug, Clone, Args)]
pub struct PaceConfig {
    /// Seconds between two heartbeats on a connection
    #[arg(
        long,
        env = "GATEWAY_HEARTBEAT_SECS",
        value_name = "SECONDS",
        default_value_t = 25,
        value_parser = clap::value_parser!(u32).range(1..=3600),
        hide_env_values = true
    )]
    pub heartbeat_secs: u32,
    /// Seconds over which a drain spreads its sessions; 0: all at once
    #[arg(
        long,
        env = "GATEWAY_DRAIN_SECS",
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(0..=3600),
        hide_env_values = true
    )]
    pub drain_secs: u32,
    /// Seconds that a session lives at the most before it is asked to reconnect; 0: no limit
    #[arg(
        long,
        env = "GATEWAY_MAX_SESSION_SECS",
        value_name = "SECONDS",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=2_592_000),
        hide_env_values = true
    )]
    pub max_session_secs: u32,
}

impl PaceConfig {
    /// The time over which a drain spreads its sessions.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_secs.into())
    }
}
