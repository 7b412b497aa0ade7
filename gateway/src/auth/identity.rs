use shared::{Claims, CompanyClaim, CompanyId, TypePattern, UserId};

/// A user of one company, as its token says. What a session needs of the claims, and no more.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// The company whose room the session is in.
    pub company: CompanyId,
    /// Unix time in seconds at which the token expires.
    pub expires_at: u64,
    /// The types that the session may receive; `None`: all.
    pub events: Option<Vec<TypePattern>>,
}

impl Identity {
    /// The identity of a session; `None` for a token of all companies, which opens no room.
    #[must_use]
    pub fn of(claims: Claims) -> Option<Self> {
        match claims.company_id {
            CompanyClaim::Any => None,
            CompanyClaim::One(company) => {
                Some(Self { user: claims.sub, company, expires_at: claims.exp, events: claims.events })
            }
        }
    }
}
