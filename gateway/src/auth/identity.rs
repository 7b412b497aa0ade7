use shared::{Claims, CompanyClaim, CompanyId, TokenId, TypePattern, UserId};

/// A user of one company, as its token says. What a session needs of the claims, and no more.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// The company whose room the session is in.
    pub company: CompanyId,
    /// Unix time in seconds at which the token expires.
    pub expires_at: u64,
    /// Unix time in seconds at which it was issued, if it says so.
    pub issued_at: Option<u64>,
    /// The token's own id, if it has one.
    pub token_id: Option<TokenId>,
    /// The types that the session may receive; `None`: all.
    pub events: Option<Vec<TypePattern>>,
}

impl Identity {
    /// The identity of a session; `None` for a token of all companies, which opens no room.
    #[must_use]
    pub fn of(claims: Claims) -> Option<Self> {
        match claims.company_id {
            CompanyClaim::Any => None,
            CompanyClaim::One(company) => Some(Self {
                user: claims.sub,
                company,
                expires_at: claims.exp,
                issued_at: claims.iat,
                token_id: claims.jti,
                events: claims.events,
            }),
        }
    }
}
