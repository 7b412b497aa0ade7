use actix_http::header::{AUTHORIZATION, HeaderMap, SEC_WEBSOCKET_PROTOCOL};
use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use shared::Claims;

use super::AuthError;

/// What a browser's second subprotocol begins with.
const SUBPROTOCOL_PREFIX: &str = "bearer.";

/// The token of a request: from the `Authorization` header, or from the subprotocol `bearer.<jwt>`.
///
/// # Errors
/// When there is none, or more than one.
pub fn bearer_of_headers(headers: &HeaderMap) -> Result<&str, AuthError> {
    let authorizations = headers.get_all(AUTHORIZATION).map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let subprotocols = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|protocol| protocol.trim().strip_prefix(SUBPROTOCOL_PREFIX))
        .map(Some);
    let mut tokens = authorizations.chain(subprotocols);
    match (tokens.next(), tokens.next()) {
        (Some(Some(token)), None) => Ok(token),
        (_, Some(_)) => Err(AuthError::Ambiguous),
        (None | Some(None), None) => Err(AuthError::Missing),
    }
}

/// Signs a token with the shared secret.
///
/// # Errors
/// When the claims do not serialize.
pub fn sign(claims: &Claims, secret: &SecretString) -> Result<String> {
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).context("cannot sign the token")
}
