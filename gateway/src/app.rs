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
    door::{Door, PublishRate},
    health::{Health, NotReady},
    http::{Pages, Problem},
    metrics::Metrics,
    quota::Quota,
    session::{Member, Places},
    traces::Traces,
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
    /// How many strangers may come at once.
    pub door: Arc<Door>,
    /// How many connections a company and a user may have.
    pub quota: Arc<Quota>,
    /// How many events a publisher may post.
    pub publish_rate: PublishRate,
    /// Whether the replica takes connections.
    pub health: Arc<Health>,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// Where spans go.
    pub traces: Traces,
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

    /// Lets a request for a session come to its token, unless there are too many at once.
    ///
    /// # Errors
    /// 503.
    pub fn knock(&self) -> Result<(), Problem> {
        self.door.knock().map_err(|problem| self.refusal(problem))
    }

    /// Places for one more session: under the replica's cap, and under those of its company and its user.
    ///
    /// # Errors
    /// 503 when the replica takes none, 429 when the company or the user has too many.
    pub async fn admit(&self, identity: &Identity) -> Result<Places, Problem> {
        let not_ready = |reason| self.refusal(Problem::not_ready(reason));
        let place = self.health.admit().map_err(not_ready)?;
        let too_many = |full| self.refusal(Problem::too_many_connections(full));
        let lease = self.quota.admit(identity).await.map_err(too_many)?;
        // It may have begun to drain meanwhile, and has told its sessions already.
        if self.health.is_draining() {
            return Err(not_ready(NotReady::Draining));
        }
        Ok(Places::new(place, lease))
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
        let jti = member.token_id.take();
        let issued_at = Some(member.issued_at.get());
        let revoked = self.revocations.refuse(Some(&member.company), &member.user, jti.as_ref(), issued_at);
        member.token_id.set(jti);
        revoked
    }
}
