use anyhow::{Context, Result, bail};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind};
use secrecy::ExposeSecret;
use shared::Claims;

use crate::{
    config::{AuthConfig, KeySource},
    defaults::{MAX_TOKEN_BYTES, TOKEN_LEEWAY},
};

/// Why a token is refused. The reason is for metrics and the problem document; it tells nothing about the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no token.
    #[error("no token; send Authorization: Bearer <jwt>, or the subprotocol bearer.<jwt>")]
    Missing,
    /// Not a token, or without a claim that is required.
    #[error("the token is malformed or lacks a required claim (sub, companyId, exp)")]
    Malformed,
    /// The signature or the algorithm is not ours.
    #[error("the token's signature is not valid")]
    Signature,
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is still to come.
    #[error("the token is not valid yet")]
    Immature,
    /// `iss` or `aud` is not the configured one.
    #[error("the token's issuer or audience is not accepted here")]
    Audience,
}

impl AuthError {
    /// The label in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Malformed => "token_malformed",
            Self::Signature => "token_signature",
            Self::Expired => "token_expired",
            Self::Immature => "token_immature",
            Self::Audience => "token_audience",
        }
    }
}

/// Checks tokens against the one configured key. The algorithm follows the key, never the token's header.
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    /// A verifier for this key, with the issuer and audience that the configuration requires.
    ///
    /// # Errors
    /// When the PEM holds no public key of a supported kind.
    pub fn new(source: &KeySource, config: &AuthConfig) -> Result<Self> {
        let (key, algorithms) = match source {
            KeySource::Secret(secret) => {
                (DecodingKey::from_secret(secret.expose_secret().as_bytes()), vec![Algorithm::HS256])
            }
            KeySource::PublicKey(pem) => public_key(pem)?,
        };
        let mut validation = Validation::new(algorithms[0]);
        validation.algorithms = algorithms;
        validation.leeway = TOKEN_LEEWAY.as_secs();
        validation.validate_nbf = true;
        // `set_issuer` and `set_audience` check a claim that is there; only these make it required.
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &config.jwt_issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &config.jwt_audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.validate_aud = config.jwt_audience.is_some();
        validation.set_required_spec_claims(&required);
        Ok(Self { key, validation })
    }

    /// Checks a token.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, token: &str) -> Result<Claims, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Malformed);
        }
        match jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation) {
            Ok(data) => Ok(data.claims),
            Err(error) => Err(match error.kind() {
                ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
                    AuthError::Signature
                }
                ErrorKind::ExpiredSignature => AuthError::Expired,
                ErrorKind::ImmatureSignature => AuthError::Immature,
                ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => AuthError::Audience,
                ErrorKind::MissingRequiredClaim(claim) if claim == "iss" || claim == "aud" => AuthError::Audience,
                _ => AuthError::Malformed,
            }),
        }
    }
}

/// The key in a PEM text, and the algorithms of its kind.
fn public_key(pem: &str) -> Result<(DecodingKey, Vec<Algorithm>)> {
    let pem_bytes = pem.as_bytes();
    if !pem.contains("PUBLIC KEY-----") {
        bail!("GATEWAY_JWT_PUBLIC_KEY_FILE: expected a PEM file with a PUBLIC KEY");
    }
    if let Ok(key) = DecodingKey::from_rsa_pem(pem_bytes) {
        return Ok((key, vec![Algorithm::RS256, Algorithm::PS256]));
    }
    if let Ok(key) = DecodingKey::from_ec_pem(pem_bytes) {
        return Ok((key, vec![Algorithm::ES256]));
    }
    let key = DecodingKey::from_ed_pem(pem_bytes)
        .context("GATEWAY_JWT_PUBLIC_KEY_FILE: not an RSA, P-256 or Ed25519 public key")?;
    Ok((key, vec![Algorithm::EdDSA]))
}
