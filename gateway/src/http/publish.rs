//! `POST /v1/events`: publishing, for services that are not Rust.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use shared::{MAX_EVENT_BYTES, PublishAnswer, Scope, StoredEvent};

use super::{
    Problem,
    draft::{IdempotencyKey, seal},
    openapi::{BadEvent, Forbidden, PayloadTooLarge, RedisRefuses, TooManyPublishes, Unauthorized, Unavailable},
    payload,
};
use crate::{app::App, auth::bearer_of_headers, defaults::MAX_PUBLISH_BATCH};

/// A full batch of the largest events.
const MAX_BODY: usize = MAX_PUBLISH_BATCH * MAX_EVENT_BYTES + 64 * 1024;

/// Publish one event, or up to 100
///
/// Needs a token with the scope `publish` for each of the companies. All of the events are stored, or none: of those that
/// were refused, the first one is pointed at.
#[utoipa::path(
    post, path = "/v1/events", operation_id = "publish", tag = "publishing", security(("bearer" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, nullable = false,
            description = "The `eventId` of a single event that has none; of a batch, with `-` and the event's place behind it.",
            pattern = "^(\"[A-Za-z0-9_.:-]{1,125}\"|[A-Za-z0-9_.:-]{1,125})$"),
        ("traceparent" = Option<String>, Header, nullable = false, description = "The trace that the events belong to (W3C). What is none is ignored."),
    ),
    request_body(content = ref("#/components/schemas/PublishRequest"), content_type = "application/json"),
    responses(
        (status = 200, description = "They are in the log, and on their way.", content_type = "application/json",
            body = ref("#/components/schemas/PublishAnswer")),
        (status = 400, response = BadEvent),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 413, response = PayloadTooLarge),
        (status = 429, response = TooManyPublishes),
        (status = 500, response = RedisRefuses),
        (status = 503, response = Unavailable),
    ),
)]
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
    let body = payload::read(payload, MAX_BODY).await?;
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
    let results = published.into_iter().map(|one| StoredEvent { id: one.id, duplicate: one.duplicate }).collect();
    Ok(HttpResponse::Ok().json(PublishAnswer { results }))
}
