use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::{auth::Origin, defaults::MIN_SECRET_BYTES};

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
    /// Required issuer (`iss`) of tokens
    #[arg(long, env = "GATEWAY_JWT_ISSUER", value_name = "ISSUER", hide_env_values = true)]
    pub jwt_issuer: Option<String>,
    /// Required audience (`aud`) of tokens
    #[arg(long, env = "GATEWAY_JWT_AUDIENCE", value_name = "AUDIENCE", hide_env_values = true)]
    pub jwt_audience: Option<String>,
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
}

impl AuthConfig {
    /// Reads the configured key.
    ///
    /// # Errors
    /// When none or several are configured, a file cannot be read, or the secret is too short.
    pub fn key_source(&self) -> Result<Option<KeySource>> {
        let source = match (&self.jwt_secret, &self.jwt_secret_file, &self.jwt_public_key_file) {
            (None, None, None) => return Ok(None),
            (Some(secret), None, None) => checked_secret(secret.clone(), "GATEWAY_JWT_SECRET")?,
            (None, Some(file), None) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("GATEWAY_JWT_SECRET_FILE: cannot read {}", file.display()))?;
                checked_secret(SecretString::from(text.trim()), "GATEWAY_JWT_SECRET_FILE")?
            }
            (None, None, Some(file)) => KeySource::PublicKey(
                std::fs::read_to_string(file)
                    .with_context(|| format!("GATEWAY_JWT_PUBLIC_KEY_FILE: cannot read {}", file.display()))?,
            ),
            _ => bail!(
                "more than one source of keys is set; keep one of GATEWAY_JWT_SECRET, GATEWAY_JWT_SECRET_FILE, \
                 GATEWAY_JWT_PUBLIC_KEY_FILE"
            ),
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
