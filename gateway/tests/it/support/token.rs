//! Tokens, honest and forged: any claims, signed with any key.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
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

    /// A service that may cut off whom `company` has, `*` for any.
    pub(crate) fn admin(company: &str) -> Self {
        Self::user(company, "operator").claim("scope", json!("admin"))
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
        self.sign_by(SECRET)
    }

    /// The token, signed with another secret.
    pub(crate) fn sign_by(&self, secret: &str) -> String {
        self.sign_with(Algorithm::HS256, &EncodingKey::from_secret(secret.as_bytes()))
    }

    pub(crate) fn sign_with(&self, algorithm: Algorithm, key: &EncodingKey) -> String {
        encode(&Header::new(algorithm), &self.claims, key).unwrap()
    }

    /// The token with more in its header, signed with [`SECRET`].
    pub(crate) fn header(&self, more: Value) -> String {
        let mut header = json!({ "typ": "JWT", "alg": "HS256" });
        let (Value::Object(members), Value::Object(more)) = (&mut header, more) else {
            unreachable!("it is an object")
        };
        members.extend(more);
        forge(&header.to_string(), &self.text(), Algorithm::HS256, &EncodingKey::from_secret(SECRET.as_bytes()))
    }

    /// The token with a `kid`.
    pub(crate) fn sign_as(&self, kid: &str, algorithm: Algorithm, key: &EncodingKey) -> String {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
        encode(&header, &self.claims, key).unwrap()
    }

    /// The claims as JSON.
    pub(crate) fn text(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The token under `alg: none`, with `signature` in the place of one.
    pub(crate) fn unsigned(&self, signature: &str) -> String {
        const ALG_NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let signed = self.sign();
        let claims = signed.split('.').nth(1).unwrap();
        format!("{ALG_NONE}.{claims}.{signature}")
    }
}

/// A token of any text, correctly signed.
pub(crate) fn forge(header: &str, claims: &str, algorithm: Algorithm, key: &EncodingKey) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// Unix time in seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}
