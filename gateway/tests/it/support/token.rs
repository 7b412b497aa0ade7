//! Tokens, honest and forged: any claims, signed with any key.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};

/// The secret that every test gateway knows unless a test says otherwise.
pub(crate) const SECRET: &str = "integration-tests-know-this-secret-0123456789";

/// The claims of a token that is about to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    claims: Map<String, Value>,
}

impl Token {
    /// A user of one company, for an hour.
    pub(crate) fn user(company: &str, user: &str) -> Self {
        let claims = json!({ "sub": user, "companyId": company });
        let Value::Object(claims) = claims else { unreachable!("it is an object") };
        Self { claims }.expires_in(3600)
    }

    /// A service that may publish for `company`, `*` for any.
    pub(crate) fn service(company: &str) -> Self {
        Self::user(company, "service").claim("scope", json!("publish"))
    }

    pub(crate) fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Seconds from now, negative for one that has expired.
    pub(crate) fn expires_in(self, seconds: i64) -> Self {
        self.claim("exp", json!(now() + seconds))
    }

    /// The token, signed with [`SECRET`].
    pub(crate) fn sign(&self) -> String {
        self.sign_as(SECRET)
    }

    /// The token, signed with another secret.
    pub(crate) fn sign_as(&self, secret: &str) -> String {
        self.sign_with(Algorithm::HS256, &EncodingKey::from_secret(secret.as_bytes()))
    }

    pub(crate) fn sign_with(&self, algorithm: Algorithm, key: &EncodingKey) -> String {
        encode(&Header::new(algorithm), &self.claims, key).unwrap()
    }

    /// The token under `alg: none`, with `signature` in the place of one.
    pub(crate) fn unsigned(&self, signature: &str) -> String {
        const ALG_NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let signed = self.sign();
        let claims = signed.split('.').nth(1).unwrap();
        format!("{ALG_NONE}.{claims}.{signature}")
    }
}

/// Unix time in seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}
