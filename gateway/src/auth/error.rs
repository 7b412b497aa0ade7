/// Why a token is refused. The reason is for metrics and the problem document; it tells nothing about the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no token.
    #[error("no token; send Authorization: Bearer <jwt>, or the subprotocol bearer.<jwt>")]
    Missing,
    /// There are several, and nobody should have to guess which of them counts.
    #[error("more than one token; send it once")]
    Ambiguous,
    /// Not a token, or without a claim that is required.
    #[error("the token is malformed or lacks a required claim (sub, companyId, exp)")]
    Malformed,
    /// The signature or the algorithm is not ours.
    #[error("the token's signature is not valid")]
    Signature,
    /// Its `kid` is not in the key set.
    #[error("the token is signed with a key that is not known here")]
    UnknownKey,
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is still to come.
    #[error("the token is not valid yet")]
    Immature,
    /// `iss` or `aud` is not the configured one.
    #[error("the token's issuer or audience is not accepted here")]
    Audience,
    /// Its bearer was cut off.
    #[error("the token has been revoked")]
    Revoked,
    /// No key set could be fetched yet.
    #[error("the keys that tokens are checked with have not been fetched yet")]
    NoKeys,
}

impl AuthError {
    /// The label in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Ambiguous => "token_ambiguous",
            Self::Malformed => "token_malformed",
            Self::Signature => "token_signature",
            Self::UnknownKey => "token_unknown_key",
            Self::Expired => "token_expired",
            Self::Immature => "token_immature",
            Self::Audience => "token_audience",
            Self::Revoked => "token_revoked",
            Self::NoKeys => "token_no_keys",
        }
    }
}
