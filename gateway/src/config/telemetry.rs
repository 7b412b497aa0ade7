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
    /// Where traces go, an OpenTelemetry collector's OTLP over HTTP: http://collector:4318 [default: nowhere]
    #[arg(long, env = "GATEWAY_OTLP_ENDPOINT", value_name = "URL", value_parser = collector, hide_env_values = true)]
    pub otlp_endpoint: Option<String>,
    /// The same under its usual name
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = collector, hide_env_values = true)]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// Of the events published over HTTP in no trace, the share that a trace begins with
    #[arg(
        long,
        env = "GATEWAY_TRACE_RATIO",
        value_name = "0..1",
        default_value_t = 0.01,
        value_parser = ratio,
        hide_env_values = true
    )]
    pub trace_ratio: f64,
}

impl TelemetryConfig {
    /// Where traces go.
    #[must_use]
    pub fn collector(&self) -> Option<&str> {
        self.otlp_endpoint.as_deref().or(self.otel_exporter_otlp_endpoint.as_deref())
    }
}

fn collector(text: &str) -> Result<String, String> {
    match text.strip_prefix("http://") {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("expected http://host:port, of a collector in the same network".to_owned()),
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).ok_or_else(|| "expected 0 to 1".to_owned())
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one JSON object a line.
    Json,
}
