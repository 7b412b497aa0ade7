use actix_http::header::{AUTHORIZATION, HeaderMap, SEC_WEBSOCKET_PROTOCOL};
use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use shared::Claims;

/// What a browser's second subprotocol begins with.
const SUBPROTOCOL_PREFIX: &str = "bearer.";

/// The token of a request: from the `Authorization` header, else from the subprotocol `bearer.<jwt>`.
#[must_use]
pub fn bearer_of_headers(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim());
    }
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(SUBPROTOCOL_PREFIX))
}

/// Signs a token with the shared secret.
///
/// # Errors
/// When the claims do not serialize.
pub fn sign(claims: &Claims, secret: &SecretString) -> Result<String> {
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).context("cannot sign the token")
}
