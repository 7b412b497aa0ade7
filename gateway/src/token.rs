//! `gateway token`: prints a token signed with the configured secret.

use anyhow::{Context, Result, bail};
use shared::{Audience, Claims};

use crate::{
    auth, clock,
    config::{KeySource, TokenConfig},
};

/// Makes the token.
///
/// # Errors
/// When no secret is configured.
pub fn make(config: TokenConfig) -> Result<String> {
    let secret = match config.auth.key_source()? {
        Some(KeySource::Secret(secret)) => secret,
        Some(KeySource::PublicKey(_) | KeySource::Jwks(_)) => bail!("public keys sign nothing; set GATEWAY_JWT_SECRET"),
        None => bail!("no secret; set GATEWAY_JWT_SECRET or GATEWAY_JWT_SECRET_FILE"),
    };
    let now = clock::unix_seconds();
    let claims = Claims {
        sub: config.user,
        company_id: config.company,
        exp: now.checked_add(config.ttl.as_secs()).context("--ttl is too long")?,
        iss: config.auth.jwt_issuer,
        aud: config.auth.jwt_audience.map(Audience::One),
        iat: Some(now),
        jti: None,
        role: config.role,
        events: config.events.map(|patterns| patterns.0),
        scope: config.scope,
    };
    auth::sign(&claims, &secret)
}
