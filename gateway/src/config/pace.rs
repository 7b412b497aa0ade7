use std::time::Duration;

use clap::Args;

use crate::defaults::REBALANCE_PERCENT;

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
    /// Percent of its sessions that a replica with clearly more than the others sends to them each second, or off
    #[arg(
        long,
        env = "GATEWAY_REBALANCE",
        value_name = "PERCENT",
        default_value = "1",
        value_parser = rebalance,
        hide_env_values = true
    )]
    pub rebalance: u8,
}

fn rebalance(text: &str) -> Result<u8, String> {
    let (on, most) = REBALANCE_PERCENT;
    match text {
        "off" | "false" | "no" => Ok(0),
        "on" | "true" | "yes" => Ok(on),
        _ => text.parse().ok().filter(|percent| *percent <= most).ok_or_else(|| format!("expected off or 0 to {most}")),
    }
}

impl PaceConfig {
    /// The time over which a drain spreads its sessions.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_secs.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rebalancing_is_a_percentage_or_a_word() {
        for (text, percent) in [("off", 0), ("0", 0), ("false", 0), ("on", 1), ("true", 1), ("1", 1), ("20", 20)] {
            assert_eq!(rebalance(text), Ok(percent));
        }
        for bad in ["", "21", "-1", "1.5", "much"] {
            assert!(rebalance(bad).is_err(), "{bad}");
        }
    }
}
