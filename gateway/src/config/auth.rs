use std::{net::IpAddr, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use shared::MAX_REVOCATION_SECS;

use crate::{
    auth::Origin,
    defaults::{MIN_SECRET_BYTES, REVOCATION_SECS},
};

/// Who is let in.
#[derive(Debug, Clone, Default, Args)]
pub struct AuthConfig {
    /// Secret that tokens are signed with (HS256), at least 32 bytes
    #[arg(long, env = "GATEWAY_JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub jwt_secret: Option<SecretString>,
    /// File that holds the secret; white space around it is cut off
    #[arg(long, env = "GATEWAY_JWT_SECRET_FILE", value_name = "FILE", hide_env_values = true)]
    pub jwt_secret_file: Option<PathBuf>,
    /// PEM file with the public key: RS256 and PS256, ES256 or EdDSA by the key's type
    #[arg(long, env = "GATEWAY_JWT_PUBLIC_KEY_FILE", value_name = "FILE", hide_env_values = true)]
    pub jwt_public_key_file: Option<PathBuf>,
    /// JSON Web Key Set, fetched at the start and refreshed; https, or http on this machine alone
    #[arg(long, env = "GATEWAY_JWKS_URL", value_name = "URL", value_parser = jwks_url, hide_env_values = true)]
    pub jwks_url: Option<Url>,
    /// Issuer (`iss`) that tokens must have, and that `gateway token` writes
    #[arg(long, env = "GATEWAY_JWT_ISSUER", value_name = "ISSUER", hide_env_values = true)]
    pub jwt_issuer: Option<String>,
    /// Audience (`aud`) that tokens must have, and that `gateway token` writes
    #[arg(long, env = "GATEWAY_JWT_AUDIENCE", value_name = "AUDIENCE", hide_env_values = true)]
    pub jwt_audience: Option<String>,
    /// Seconds that a revocation lasts unless it says so itself: as long as your tokens live at the most
    #[arg(
        long,
        env = "GATEWAY_REVOCATION_SECS",
        value_name = "SECONDS",
        default_value_t = REVOCATION_SECS,
        value_parser = clap::value_parser!(u64).range(60..=MAX_REVOCATION_SECS),
        hide_env_values = true
    )]
    pub revocation_secs: u64,
    /// Origins of browsers that may connect, comma-separated; the port may be *; * alone allows all
    #[arg(
        long,
        env = "GATEWAY_ALLOWED_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub allowed_origins: Vec<Origin>,
}

/// Where the key comes from. Exactly one is set.
#[derive(Debug)]
pub enum KeySource {
    /// A shared secret.
    Secret(SecretString),
    /// A public key in PEM.
    PublicKey(String),
    /// The address of a key set.
    Jwks(Url),
}

impl AuthConfig {
    /// Reads the configured key.
    ///
    /// # Errors
    /// When none or several are configured, a file cannot be read, or the secret is too short.
    pub fn key_source(&self) -> Result<Option<KeySource>> {
        let sources = [
            self.jwt_secret.is_some(),
            self.jwt_secret_file.is_some(),
            self.jwt_public_key_file.is_some(),
            self.jwks_url.is_some(),
        ];
        ensure!(
            sources.into_iter().filter(|set| *set).count() <= 1,
            "more than one source of keys is set; keep one of GATEWAY_JWT_SECRET, GATEWAY_JWT_SECRET_FILE, \
             GATEWAY_JWT_PUBLIC_KEY_FILE, GATEWAY_JWKS_URL"
        );
        let source = if let Some(secret) = &self.jwt_secret {
            checked_secret(secret.clone(), "GATEWAY_JWT_SECRET")?
        } else if let Some(file) = &self.jwt_secret_file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("GATEWAY_JWT_SECRET_FILE: cannot read {}", file.display()))?;
            checked_secret(SecretString::from(text.trim()), "GATEWAY_JWT_SECRET_FILE")?
        } else if let Some(file) = &self.jwt_public_key_file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("GATEWAY_JWT_PUBLIC_KEY_FILE: cannot read {}", file.display()))?;
            KeySource::PublicKey(text)
        } else if let Some(url) = &self.jwks_url {
            KeySource::Jwks(url.clone())
        } else {
            return Ok(None);
        };
        Ok(Some(source))
    }
}

fn checked_secret(secret: SecretString, variable: &str) -> Result<KeySource> {
    let length = secret.expose_secret().len();
    ensure!(
        length >= MIN_SECRET_BYTES,
        "{variable}: the secret has {length} bytes, at least {MIN_SECRET_BYTES} are needed"
    );
    Ok(KeySource::Secret(secret))
}

/// Keys that came over a network in the clear could be anybody's.
fn jwks_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" | "http" if !url.username().is_empty() || url.password().is_some() => {
            Err("it may hold no user and no password".into())
        }
        "https" => Ok(url),
        "http" if here => Ok(url),
        "http" => Err("http is for this machine alone (localhost); use https".into()),
        _ => Err("expected an https address".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        for right in ["https://id.example/jwks", "http://localhost:8080/j", "http://127.0.0.9/j", "http://[::1]:1/j"] {
            assert!(jwks_url(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "jwks",
            "ftp://id.example/jwks",
            "file:///etc/passwd",
            "http://id.example/jwks",
            "http://localhost.example/jwks",
            "http://10.0.0.1/jwks",
            "https://user:hunter2@id.example/jwks",
        ] {
            let error = jwks_url(wrong).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
