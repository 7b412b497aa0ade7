//! What all workers of a replica share.

use std::sync::Arc;

use actix_http::header::HeaderMap;

use crate::{
    auth::{Identity, Origins, Verifier},
    backplane::Backplane,
    config::PaceConfig,
    dispatcher::DispatcherHandle,
    health::Health,
    http::{Pages, Problem},
    metrics::Metrics,
    traces::Traces,
};

/// What all workers of a replica share.
pub struct App {
    /// Checks tokens.
    pub verifier: Verifier,
    /// Which web pages may connect.
    pub origins: Origins,
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
    /// 401 when the token is refused, 403 when it speaks for no single company.
    pub fn identify(&self, token: Option<&str>) -> Result<Identity, Problem> {
        let claims = self.claims(token)?;
        Identity::of(claims).ok_or_else(|| Problem::forbidden("a token of all companies opens no room"))
    }

    /// Refuses web pages that are not on the allow-list.
    ///
    /// # Errors
    /// 403.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if self.origins.admit(headers) { Ok(()) } else { Err(Problem::origin_not_allowed()) }
    }

    /// What a token says.
    ///
    /// # Errors
    /// 401 when it is refused.
    pub fn claims(&self, token: Option<&str>) -> Result<shared::Claims, Problem> {
        let token = token.ok_or(crate::auth::AuthError::Missing);
        token.and_then(|token| self.verifier.verify(token)).map_err(|error| {
            self.metrics.rejected(error.label());
            Problem::unauthorized(error)
        })
    }
}
