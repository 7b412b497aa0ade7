//! Logs.

use std::io::{IsTerminal, stderr};

use anyhow::{Context, Result};
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogFormat, TelemetryConfig};

/// Sends logs to standard error, coloured on a terminal only.
///
/// # Errors
/// When the filter is malformed.
pub fn init(config: &TelemetryConfig) -> Result<()> {
    let filter =
        EnvFilter::try_new(&config.log).with_context(|| format!("GATEWAY_LOG: {:?} is no filter", config.log))?;
    let builder = fmt().with_env_filter(filter).with_writer(stderr).with_ansi(stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
