use clap::{Args, ValueEnum};

/// Logs.
#[derive(Debug, Clone, Args)]
pub struct TelemetryConfig {
    /// Log filter: error, warn, info, debug, trace, or by module: info,gateway::session=debug
    #[arg(long, env = "GATEWAY_LOG", value_name = "FILTER", default_value = "info", hide_env_values = true)]
    pub log: String,
    /// How log lines look
    #[arg(long, env = "GATEWAY_LOG_FORMAT", value_name = "FORMAT", default_value = "text", hide_env_values = true)]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one JSON object a line.
    Json,
}
