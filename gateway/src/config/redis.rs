use clap::Args;
use redis::IntoConnectionInfo;
use secrecy::SecretString;

/// The backplane.
#[derive(Debug, Clone, Args)]
pub struct RedisConfig {
    /// Redis that replicas and publishers share: redis://[user:password@]host[:port][/db]
    /// [default: none, the embedded backplane: one replica, in memory]
    #[arg(long, env = "GATEWAY_REDIS_URL", value_name = "URL", value_parser = url, hide_env_values = true)]
    pub redis_url: Option<SecretString>,
}

/// Refuses what could never be connected to. The error does not repeat the URL: it may hold a password.
fn url(text: &str) -> Result<SecretString, String> {
    match text.split_once("://") {
        Some(("redis", _)) => {}
        Some((scheme, _)) => return Err(format!("the scheme {scheme}:// is not supported, use redis://")),
        None => return Err("expected redis://host:port".into()),
    }
    match text.into_connection_info() {
        Ok(_) => Ok(SecretString::from(text)),
        Err(_) => Err("malformed; expected redis://[user:password@]host[:port][/db]".into()),
    }
}
