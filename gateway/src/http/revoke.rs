//! `POST /v1/revocations`: cutting somebody off, on every replica, now.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use publisher::PublishError;
use shared::{
    Claims, CompanyClaim, MAX_REVOCATION_SECS, Revocation, RevocationAnswer, RevocationRequest, Scope, Target,
};
use tracing::{info, warn};

use super::{
    Problem,
    openapi::{BadRevocation, Forbidden, PayloadTooLarge, RedisRefuses, Unauthorized, Unavailable},
    payload,
};
use crate::{app::App, auth::bearer_of_headers, clock, defaults::MAX_REVOCATION_BODY};

/// Cut somebody off, on every replica, now
///
/// Needs a token with the scope `admin`; that of one company reaches no further. Sessions are closed with 4403, tokens that
/// were issued until now are refused.
#[utoipa::path(
    post, path = "/v1/revocations", operation_id = "revoke", tag = "administration", security(("bearer" = [])),
    request_body(content = ref("#/components/schemas/RevocationRequest"), content_type = "application/json"),
    responses(
        (status = 200, description = "They are cut off.", content_type = "application/json",
            body = ref("#/components/schemas/RevocationAnswer")),
        (status = 400, response = BadRevocation),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 413, response = PayloadTooLarge),
        (status = 500, response = RedisRefuses),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn revoke(
    app: web::Data<Arc<App>>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    app.check_origin(request.headers())?;
    let claims = app.claims(bearer_of_headers(request.headers())).await?;
    if !claims.has_scope(Scope::Admin) {
        return Err(Problem::forbidden("the token lacks the scope admin"));
    }
    let body = payload::read(payload, MAX_REVOCATION_BODY).await?;
    let revocation = understand(&body, &claims, clock::unix_seconds(), app.revocation_lasts)?;
    app.backplane.revoke(revocation.clone()).await.map_err(|error| {
        app.metrics.revoked("failed");
        warn!(%error, "could not revoke");
        refusal(&error)
    })?;
    app.metrics.revoked("kept");
    info!(by = %claims.sub, target = ?revocation.target, until = revocation.until, "revoked");
    let until = clock::date(revocation.until);
    Ok(HttpResponse::Ok().json(RevocationAnswer { revoked: revocation.target, until }))
}

/// Whom a body asks to cut off, within what the token speaks for, and until when.
fn understand(body: &[u8], claims: &Claims, now: u64, lasts: Duration) -> Result<Revocation, Problem> {
    let invalid = |detail: &dyn std::fmt::Display| Problem::bad_request("invalid_revocation", &detail.to_string());
    let draft: RevocationRequest = serde_json::from_slice(body).map_err(|error| invalid(&error))?;
    Target::new(draft.company_id.clone(), draft.user_id.clone(), draft.jti.clone()).map_err(|error| invalid(&error))?;
    let company = match (&claims.company_id, draft.company_id) {
        (CompanyClaim::Any, asked) => asked,
        (CompanyClaim::One(own), asked) if asked.as_ref().is_none_or(|asked| asked == own) => Some(own.clone()),
        (CompanyClaim::One(_), _) => return Err(Problem::forbidden("the token does not speak for this company")),
    };
    let target = Target::new(company, draft.user_id, draft.jti).map_err(|error| invalid(&error))?;
    let lasts = match draft.until.map(|until| u64::try_from(until.timestamp()).unwrap_or(0).saturating_sub(now)) {
        None => lasts,
        Some(seconds) if (1..=MAX_REVOCATION_SECS).contains(&seconds) => Duration::from_secs(seconds),
        Some(_) => return Err(invalid(&"until: expected a time to come, within a year")),
    };
    Ok(Revocation::new(target, now, lasts))
}

fn refusal(error: &PublishError) -> Problem {
    if error.is_retryable() {
        Problem::unavailable(&format!("the revocation is perhaps not kept; ask again: {error}"))
    } else {
        Problem::refused("Redis refused the revocation")
    }
}

#[cfg(test)]
mod tests {
    use shared::{CompanyId, UserId};

    use super::*;

    fn claims(company: &str) -> Claims {
        serde_json::from_str(&format!(r#"{{"sub":"ops","companyId":"{company}","exp":9,"scope":"admin"}}"#)).unwrap()
    }

    fn ask(company: &str, body: &str) -> Result<Revocation, String> {
        understand(body.as_bytes(), &claims(company), 1_000, Duration::from_secs(60))
            .map_err(|problem| problem.code().to_owned())
    }

    #[test]
    fn a_token_of_one_company_reaches_no_further() {
        let whole = ask("*", r#"{"userId":"anna"}"#).unwrap();
        assert_eq!((whole.target.company_id(), whole.at, whole.until), (None, 1_000, 1_060));
        for within in [r#"{"userId":"anna"}"#, r#"{"userId":"anna","companyId":"acme"}"#] {
            let target = ask("acme", within).unwrap().target;
            let acme = CompanyId::parse("acme").unwrap();
            assert_eq!(target, Target::user(&acme, &UserId::parse("anna").unwrap()), "{within}");
        }
        assert_eq!(ask("acme", r#"{"userId":"anna","companyId":"other"}"#), Err("forbidden".into()));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"companyId":"*"}"#,
            r#"{"companyId":"acme","userid":"anna"}"#,
            r#"{"userId":""}"#,
            r#"{"jti":1}"#,
            r#"{"userId":"anna","until":1}"#,
            r#"{"userId":"anna","until":"1970-01-01T00:00:01Z"}"#,
            r#"{"userId":"anna","until":"2300-01-01T00:00:00Z"}"#,
        ] {
            assert_eq!(ask("acme", body), Err("invalid_revocation".into()), "{body}");
        }
        let until = ask("acme", r#"{"jti":"t","until":"1970-01-01T00:20:00Z"}"#).unwrap().until;
        assert_eq!(until, 1_200);
    }
}
