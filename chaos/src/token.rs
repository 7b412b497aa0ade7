//! Tokens, signed with the secret that the run's gateways are given.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use shared::{Claims, CompanyClaim, CompanyId, Scope, UserId};

/// Nobody outside of 127.0.0.1 ever sees these gateways.
pub(crate) const SECRET: &str = "the-secret-of-a-chaos-run-is-no-secret";

/// Longer than any run, and than any wrong clock is wrong.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// A token for one listener of a company.
pub(crate) fn listener(company: &CompanyId, user: &str) -> anyhow::Result<String> {
    sign(CompanyClaim::One(company.clone()), user, None)
}

/// A token that may publish for every company.
pub(crate) fn service() -> anyhow::Result<String> {
    sign(CompanyClaim::Any, "chaos", Some(Scope::Publish))
}

fn sign(company_id: CompanyClaim, user: &str, scope: Option<Scope>) -> anyhow::Result<String> {
    let exp = (SystemTime::now().duration_since(UNIX_EPOCH)? + LIFE).as_secs();
    let scope = scope.map(|scope| scope.as_str().to_owned());
    let sub = UserId::parse(user)?;
    let claims =
        Claims { sub, company_id, exp, iss: None, aud: None, iat: None, jti: None, role: None, events: None, scope };
    Ok(encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
}
