use std::path::PathBuf;

use clap::Args;

/// Web pages that the gateway serves beside its endpoints.
#[derive(Debug, Clone, Args)]
pub struct PagesConfig {
    /// Folder served at /: a built web application, with its index.html [default: none]
    #[arg(long, env = "GATEWAY_STATIC_DIR", value_name = "FOLDER", hide_env_values = true)]
    pub static_dir: Option<PathBuf>,
}
