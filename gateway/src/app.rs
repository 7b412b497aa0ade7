//! What all workers of a replica share.

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use actix_http::header::HeaderMap;
use shared::{Claims, CompanyClaim};
use tracing::warn;

use crate::{
    auth::{AuthError, Identity, Origins, Revocations, Verifier},
    backplane::Backplane,
    clock,
    config::PaceConfig,
    dispatcher::DispatcherHandle,
    health::Health,
    http::{Pages, Problem},
    metrics::Metrics,
    session::Member,
};

/// What all workers of a replica share.
pub struct App {
    /// Checks tokens.
    pub verifier: Verifier,
    /// Whose tokens count no more, though they are good.
    pub revocations: Arc<Revocations>,
    /// How long a revocation lasts unless it says so itself.
    pub revocation_lasts: Duration,
    /// Which web pages may connect.
    pub origins: Origins,
    /// Whether the replica takes connections.
    pub health: Arc<Health>,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// The pace of a session's life.
    pub pace: PaceConfig,
    /// What it serves beside its endpoints.
    pub pages: Option<Pages>,
    /// The log, for first paints and publishing.
    pub backplane: Arc<dyn Backplane>,
    /// Lets sessions in.
    pub dispatcher: DispatcherHandle,
}

impl App {
    /// Who a token makes its bearer, in one company's room.
    ///
    /// # Errors
    /// 401 when the token is refused, 403 when it is revoked or speaks for no single company.
    pub async fn identify(&self, token: Result<&str, AuthError>) -> Result<Identity, Problem> {
        let claims = self.claims(token).await?;
        Identity::of(claims).ok_or_else(|| Problem::forbidden("a token of all companies opens no room"))
    }

    /// Refuses web pages that are not on the allow-list.
    ///
    /// # Errors
    /// 403.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if self.origins.admit(headers) { Ok(()) } else { Err(self.refusal(Problem::origin_not_allowed())) }
    }

    /// Counts a refusal by its reason.
    fn refusal(&self, problem: Problem) -> Problem {
        self.metrics.rejected(problem.reason());
        problem.counted()
    }

    /// What a token says.
    ///
    /// # Errors
    /// 401 when it is refused, 403 when it is revoked, 503 while there are no keys.
    pub async fn claims(&self, token: Result<&str, AuthError>) -> Result<Claims, Problem> {
        self.authenticate(token).await.map_err(|error| self.refusal(error.into()))
    }

    /// What a token says. One that is signed with a key that is not known waits for newer keys, if they may be fetched.
    ///
    /// # Errors
    /// Why it is refused.
    pub async fn authenticate(&self, token: Result<&str, AuthError>) -> Result<Claims, AuthError> {
        match self.judge(token) {
            Err(AuthError::UnknownKey) => {
                self.verifier.refreshed().await;
                self.judge(token)
            }
            outcome => outcome,
        }
    }

    /// What a token says, by the keys that there are.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn judge(&self, token: Result<&str, AuthError>) -> Result<Claims, AuthError> {
        let claims = self.verifier.verify(token?)?;
        let company = match &claims.company_id {
            CompanyClaim::Any => None,
            CompanyClaim::One(company) => Some(company),
        };
        if self.revocations.refuse(company, &claims.sub, claims.jti.as_ref(), claims.iat) {
            return Err(AuthError::Revoked);
        }
        if claims.exp > clock::unix_seconds().saturating_add(self.revocation_lasts.as_secs()) {
            static ONCE: Once = Once::new();
            ONCE.call_once(|| {
                warn!("a token lives longer than GATEWAY_REVOCATION_SECS: revoked, it would count again")
            });
        }
        Ok(claims)
    }

    /// Whether a session's bearer was cut off since its token was judged.
    #[must_use]
    pub fn is_revoked(&self, member: &Member) -> bool {
        let jti = member.token_id.borrow();
        self.revocations.refuse(Some(&member.company), &member.user, jti.as_ref(), member.issued_at.get())
    }
}
