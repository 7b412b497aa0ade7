//! What a token says about its bearer.

use serde::{Deserialize, Serialize};

use crate::{CompanyId, TokenId, TypePattern, UserId};

/// The claims of a token. `iss`, `aud` and `nbf` are checked while it is verified and not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// The user.
    pub sub: UserId,
    /// The company, whose room the session joins; `*` is for service tokens alone.
    pub company_id: CompanyClaim,
    /// Seconds since 1970 after which the token counts no more.
    pub exp: u64,
    /// The issuer, required where one is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The audience, required where one is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    /// Seconds since 1970 at which it was issued: what tells a new token from one that was revoked.
    #[serde(default, deserialize_with = "numeric_date", skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// The token's own id, by which it can be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<TokenId>,
    /// The user's role in the application; the gateway only carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The types that the session may receive; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<TypePattern>>,
    /// Space-separated rights of a service: `publish`, `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl Claims {
    /// Whether the token carries this right.
    ///
    /// ```
    /// use shared::{Claims, Scope};
    ///
    /// let claims: Claims = serde_json::from_str(r#"{"sub":"api","companyId":"*","exp":1763800000,"scope":"publish"}"#)?;
    /// assert!(claims.has_scope(Scope::Publish) && !claims.has_scope(Scope::Admin));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.scope.as_deref().is_some_and(|held| held.split(' ').any(|word| word == scope.as_str()))
    }
}

/// A time that issuers may write with a fraction, which is cut off: earlier is the safe side.
fn numeric_date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.map(|seconds| seconds as u64))
}

/// The companies that a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CompanyClaim {
    /// `*`: any company, for services.
    Any,
    /// One company.
    One(CompanyId),
}

impl CompanyClaim {
    /// Whether the token speaks for this company.
    #[must_use]
    pub fn covers(&self, company: &CompanyId) -> bool {
        match self {
            Self::Any => true,
            Self::One(own) => own == company,
        }
    }
}

impl std::str::FromStr for CompanyClaim {
    type Err = crate::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" { Ok(Self::Any) } else { CompanyId::parse(text).map(Self::One) }
    }
}

impl Serialize for CompanyClaim {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Any => "*",
            Self::One(company) => company.as_str(),
        })
    }
}

impl<'de> Deserialize<'de> for CompanyClaim {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// `aud` is one string or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// A single audience.
    One(String),
    /// Several audiences.
    Many(Vec<String>),
}

/// A right that services hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Publish events.
    Publish,
    /// Revoke tokens.
    Admin,
}

impl Scope {
    /// The word in the `scope` claim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Admin => "admin",
        }
    }
}
