use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use publisher::{Endpoint, Tls};
use secrecy::SecretString;

/// The backplane.
#[derive(Debug, Clone, Args)]
pub struct RedisConfig {
    /// Redis that replicas and publishers share: redis[s]://[user:password@]host[:port][/db],
    /// redis+sentinel://[user:password@]host[:port][,host[:port]...]/master-name[/db], or
    /// redis[s]+cluster://[user:password@]host[:port][,host[:port]...]
    /// [default: none, the embedded backplane: one replica, in memory]
    #[arg(long, env = "GATEWAY_REDIS_URL", value_name = "URL", value_parser = url, hide_env_values = true)]
    pub redis_url: Option<SecretString>,
    /// PEM file with the authority that Redis' certificate must come from, for rediss:// [default: those of the system]
    #[arg(long, env = "GATEWAY_REDIS_CA_FILE", value_name = "FILE", hide_env_values = true)]
    pub redis_ca_file: Option<PathBuf>,
    /// PEM file with the certificate that the gateway shows Redis, for rediss://; needs the key
    #[arg(long, env = "GATEWAY_REDIS_CERT_FILE", value_name = "FILE", hide_env_values = true)]
    pub redis_cert_file: Option<PathBuf>,
    /// PEM file with the private key of that certificate
    #[arg(long, env = "GATEWAY_REDIS_KEY_FILE", value_name = "FILE", hide_env_values = true)]
    pub redis_key_file: Option<PathBuf>,
}

impl RedisConfig {
    /// Reads the certificates.
    ///
    /// # Errors
    /// When a file cannot be read, or a certificate comes without its key, or any without `GATEWAY_REDIS_URL`.
    pub fn tls(&self) -> Result<Tls> {
        let mut tls = Tls::new();
        if let Some(file) = &self.redis_ca_file {
            ensure!(self.redis_url.is_some(), "GATEWAY_REDIS_CA_FILE goes with GATEWAY_REDIS_URL");
            tls = tls.authority(read(file, "GATEWAY_REDIS_CA_FILE")?);
        }
        match (&self.redis_cert_file, &self.redis_key_file) {
            (Some(_), Some(_)) if self.redis_url.is_none() => {
                bail!("GATEWAY_REDIS_CERT_FILE goes with GATEWAY_REDIS_URL")
            }
            (Some(certificate), Some(key)) => {
                let certificate = read(certificate, "GATEWAY_REDIS_CERT_FILE")?;
                Ok(tls.identity(certificate, read(key, "GATEWAY_REDIS_KEY_FILE")?))
            }
            (None, None) => Ok(tls),
            _ => bail!("GATEWAY_REDIS_CERT_FILE and GATEWAY_REDIS_KEY_FILE go together"),
        }
    }
}

fn read(file: &Path, variable: &str) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{variable}: cannot read {}", file.display()))
}

/// Refuses what could never be connected to. The error does not repeat the URL: it may hold a password.
pub(super) fn url(text: &str) -> Result<SecretString, String> {
    Endpoint::parse(text).map(|_| SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_sentinels_are_accepted_and_nothing_is_repeated() {
        for right in [
            "redis://redis",
            "rediss://:p@redis:6380/1",
            "redis+sentinel://u:p@s-0,s-1:26380/events/1",
            "redis+cluster://u:p@r-0,r-1:6380",
            "rediss+cluster://r-0",
        ] {
            assert!(url(right).is_ok(), "{right}");
        }
        for wrong in [
            "http://hunter2@redis",
            "redis://:hunter2@redis/x",
            "redis+sentinel://:hunter2@s-0",
            "redis+cluster://:hunter2@r-0/1",
            "hunter2",
        ] {
            let error = url(wrong).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
