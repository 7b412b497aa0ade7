use clap::Args;
use publisher::Endpoint;
use secrecy::SecretString;

/// The backplane.
#[derive(Debug, Clone, Args)]
pub struct RedisConfig {
    /// Redis that replicas and publishers share: redis://[user:password@]host[:port][/db], or
    /// redis+sentinel://[user:password@]host[:port][,host[:port]...]/master-name[/db]
    /// [default: none, the embedded backplane: one replica, in memory]
    #[arg(long, env = "GATEWAY_REDIS_URL", value_name = "URL", value_parser = url, hide_env_values = true)]
    pub redis_url: Option<SecretString>,
}

/// Refuses what could never be connected to. The error does not repeat the URL: it may hold a password.
fn url(text: &str) -> Result<SecretString, String> {
    Endpoint::parse(text).map(|_| SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_sentinels_are_accepted_and_nothing_is_repeated() {
        for right in ["redis://redis", "redis://:p@redis:6380/1", "redis+sentinel://u:p@s-0,s-1:26380/events/1"] {
            assert!(url(right).is_ok(), "{right}");
        }
        for wrong in ["http://hunter2@redis", "redis://:hunter2@redis/x", "redis+sentinel://:hunter2@s-0", "hunter2"] {
            let error = url(wrong).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
