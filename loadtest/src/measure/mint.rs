//! Signs tokens with the gateway's own secret, one per session.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use secrecy::{ExposeSecret, SecretString};
use shared::{Audience, Claims, CompanyClaim, CompanyId, Scope, UserId};

/// Longer than any measurement.
const LIFE: Duration = Duration::from_secs(12 * 3600);

/// Something that signs.
pub(crate) struct Mint {
    key: EncodingKey,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Mint {
    pub(crate) fn new(secret: &SecretString, issuer: Option<String>, audience: Option<String>) -> Self {
        Self { key: EncodingKey::from_secret(secret.expose_secret().as_bytes()), issuer, audience }
    }

    /// A token of a user of a company.
    pub(crate) fn session(&self, company: CompanyId, user: UserId) -> anyhow::Result<String> {
        self.sign(CompanyClaim::One(company), user, None)
    }

    /// A token that may publish for every company.
    pub(crate) fn publishing(&self) -> anyhow::Result<String> {
        self.sign(CompanyClaim::Any, UserId::parse("loadtest")?, Some(Scope::Publish))
    }

    fn sign(&self, company_id: CompanyClaim, sub: UserId, scope: Option<Scope>) -> anyhow::Result<String> {
        let exp = (SystemTime::now().duration_since(UNIX_EPOCH)? + LIFE).as_secs();
        let claims = Claims {
            sub,
            company_id,
            exp,
            iss: self.issuer.clone(),
            aud: self.audience.clone().map(Audience::One),
            iat: None,
            jti: None,
            role: None,
            events: None,
            scope: scope.map(|scope| scope.as_str().to_owned()),
        };
        Ok(encode(&Header::default(), &claims, &self.key)?)
    }
}
