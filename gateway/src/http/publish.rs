//! `POST /v1/events`: publishing, for services that are not Rust.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use shared::{Cursor, MAX_EVENT_BYTES, Scope};
use tokio::time::timeout;

use super::{
    Problem,
    draft::{IdempotencyKey, seal},
};
use crate::{
    app::App,
    auth::bearer_of_headers,
    defaults::{BODY_TIMEOUT, MAX_PUBLISH_BATCH},
};

/// A full batch of the largest events.
const MAX_BODY: usize = MAX_PUBLISH_BATCH * MAX_EVENT_BYTES + 64 * 1024;

#[derive(Serialize)]
struct Results {
    results: Vec<Published>,
}

#[derive(Serialize)]
struct Published {
    id: Cursor,
    duplicate: bool,
}

pub(super) async fn publish(
    app: web::Data<Arc<App>>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let answer = answer(&app, &request, payload).await;
    answer.inspect_err(|problem| app.metrics.publish_refused(problem.reason()))
}

async fn answer(app: &App, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    app.check_origin(request.headers())?;
    let claims = app.claims(bearer_of_headers(request.headers())).await?;
    if !claims.has_scope(Scope::Publish) {
        return Err(Problem::forbidden("the token lacks the scope publish"));
    }
    let key = IdempotencyKey::of(request.headers())?;
    // Only now: strangers are not read.
    let body = match timeout(BODY_TIMEOUT, payload.to_bytes_limited(MAX_BODY)).await {
        Ok(Ok(Ok(body))) => body,
        Ok(Ok(Err(error))) => return Err(Problem::bad_request("bad_request", &format!("the body broke off: {error}"))),
        Ok(Err(_)) => return Err(Problem::too_large(&format!("the body may have {MAX_BODY} bytes"))),
        Err(_) => return Err(Problem::bad_request("bad_request", "the body took too long")),
    };
    let sealed = seal(&body, key.as_ref(), |company| claims.company_id.covers(company));
    // What is refused has been read as well.
    let count = sealed.as_ref().map_or(1, Vec::len);
    app.publish_rate.take(&claims, count).map_err(Problem::too_many_publishes)?;
    let (envelopes, span) = app.traces.publish(request.headers(), sealed?);
    let published = app.backplane.publish(envelopes).await;
    span.end(published.is_ok());
    let published = published.inspect_err(|error| {
        app.metrics.published("failed", count);
        tracing::warn!(%error, count, "could not publish");
    })?;
    app.metrics.published("stored", published.iter().filter(|one| !one.duplicate).count());
    app.metrics.published("duplicate", published.iter().filter(|one| one.duplicate).count());
    let results = published.into_iter().map(|one| Published { id: one.id, duplicate: one.duplicate }).collect();
    Ok(HttpResponse::Ok().json(Results { results }))
}
