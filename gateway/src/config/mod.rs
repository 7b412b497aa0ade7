//! Configuration: parsed once from flags and environment, one small struct per concern.
//!
//! Nobody else reads the environment. Whatever is wrong stops the start with one line that names the variable.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the text is the help of the command line, where brackets are brackets"
)]

mod auth;
mod cli;
mod limits;
mod listen;
mod pace;
mod pages;
mod redis;
mod telemetry;

pub use auth::{AuthConfig, KeySource};
pub use cli::{CarryConfig, Cli, Command, ServeConfig, TokenConfig, parse, unknown_variables};
pub use limits::{LimitsConfig, raise_descriptors};
pub use listen::ListenConfig;
pub use pace::PaceConfig;
pub use pages::PagesConfig;
pub use redis::RedisConfig;
pub use telemetry::{LogFormat, TelemetryConfig};
