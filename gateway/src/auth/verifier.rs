use std::sync::Arc;

use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, Header, Validation, decode_header};
use shared::Claims;

use super::{AuthError, jwks::Jwks, key::Key};
use crate::{
    clock,
    config::{AuthConfig, KeySource},
    defaults::{MAX_TOKEN_BYTES, TOKEN_LEEWAY},
    health::Health,
    metrics::Metrics,
};

/// Checks tokens against the configured key or key set. The algorithm follows the key, never the token's header.
pub struct Verifier(Keys);

enum Keys {
    One(Box<Key>),
    Fetched(Arc<Jwks>),
}

impl Verifier {
    /// A verifier for this source, with the issuer and audience that the configuration requires. Fetches nothing yet.
    ///
    /// # Errors
    /// When the PEM holds no public key of a supported kind.
    pub fn new(source: &KeySource, config: &AuthConfig) -> Result<Self> {
        let rules = rules(config);
        Ok(Self(match source {
            KeySource::Secret(secret) => Keys::One(Key::of_secret(secret, &rules).into()),
            KeySource::PublicKey(pem) => {
                Keys::One(Key::of_pem(pem, &rules).context("GATEWAY_JWT_PUBLIC_KEY_FILE")?.into())
            }
            KeySource::Jwks(url) => Keys::Fetched(Arc::new(Jwks::new(url.clone(), rules)?)),
        }))
    }

    /// Begins to fetch keys, where they are fetched; until they are there the replica is not ready. Must be called
    /// within a runtime.
    pub fn start(&self, health: &Arc<Health>, metrics: &Arc<Metrics>) {
        if let Keys::Fetched(jwks) = &self.0 {
            health.await_keys();
            tokio::spawn(jwks.clone().run(health.clone(), metrics.clone()));
        }
    }

    /// Checks a token.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, token: &str) -> Result<Claims, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Malformed);
        }
        let header = decode_header(token).map_err(|_| AuthError::Malformed)?;
        // RFC 7515: who does not understand what is critical must refuse; and `b64` is always critical.
        if header.crit.is_some() || header.extras.inner().contains_key("b64") {
            return Err(AuthError::Malformed);
        }
        let claims = self.verify_with(&header, token)?;
        // A session would end at once.
        if clock::has_expired(claims.exp, clock::unix_seconds()) { Err(AuthError::Expired) } else { Ok(claims) }
    }

    /// `kid` chooses among our own keys. What else a header says of keys (`jku`, `jwk`, `x5u`, `x5c`) is not looked at.
    fn verify_with(&self, header: &Header, token: &str) -> Result<Claims, AuthError> {
        match &self.0 {
            Keys::One(key) => key.verify(token),
            Keys::Fetched(jwks) => jwks.keys().choose(header)?.verify(token),
        }
    }

    /// After [`AuthError::UnknownKey`]: waits for keys that are newer, if they may be fetched now.
    pub async fn refreshed(&self) {
        if let Keys::Fetched(jwks) = &self.0 {
            jwks.refreshed().await;
        }
    }
}

/// What is asked of every token, whatever its key.
fn rules(config: &AuthConfig) -> Validation {
    // Each key has algorithms of its own.
    let mut rules = Validation::new(Algorithm::HS256);
    rules.leeway = TOKEN_LEEWAY.as_secs();
    rules.validate_nbf = true;
    // `set_issuer` and `set_audience` check a claim that is there; only these make it required.
    let mut required = vec!["exp", "sub"];
    if let Some(issuer) = &config.jwt_issuer {
        rules.set_issuer(&[issuer]);
        required.push("iss");
    }
    if let Some(audience) = &config.jwt_audience {
        rules.set_audience(&[audience]);
        required.push("aud");
    }
    rules.validate_aud = config.jwt_audience.is_some();
    rules.set_required_spec_claims(&required);
    rules
}
