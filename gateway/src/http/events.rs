//! `GET /v1/events`: what is known, for the first paint, and the cursor to go on from.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web::{Data, Query},
};
use serde::Deserialize;
use shared::Cursor;
use utoipa::IntoParams;

use super::{
    Listener, Problem, body,
    openapi::{BadQuery, Forbidden, Unauthorized, Unavailable},
};
use crate::{app::App, backplane::ReadError, clock, defaults::EVENTS_LIMIT};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Limit {
    /// How many events at most, 50 unless it is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// The newest events, for the first paint
#[utoipa::path(
    get, path = "/v1/events", operation_id = "latestEvents", tag = "listening", security(("bearer" = [])),
    params(
        Limit,
        ("types" = Option<String>, Query, nullable = false, description = "Only these types: `devis:*,facture:paid`. At most 64.",
            pattern = r"^((\*|[a-z0-9_-]{1,32}:(\*|[a-z0-9_-]{1,32}))(,(\*|[a-z0-9_-]{1,32}:(\*|[a-z0-9_-]{1,32}))){0,63})?$"),
    ),
    responses(
        (status = 200, description = "The newest events, oldest first, and the cursor to go on from.",
            content_type = "application/json", body = ref("#/components/schemas/LatestEvents")),
        (status = 400, response = BadQuery),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn latest(app: Data<Arc<App>>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    app.check_origin(request.headers())?;
    let Listener { identity, filter, .. } = Listener::of(&app, request.headers(), request.query_string()).await?;
    let limit = Query::<Limit>::from_query(request.query_string())
        .map_err(|_| Problem::bad_request("bad_request", "limit: expected a number"))?
        .limit
        .unwrap_or(EVENTS_LIMIT.0);
    if !(1..=EVENTS_LIMIT.1).contains(&limit) {
        return Err(Problem::bad_request("bad_request", &format!("limit: expected 1 to {}", EVENTS_LIMIT.1)));
    }
    // A filter may keep many back, so all that is held is looked through for them.
    let read = if filter.passes_all() { limit } else { EVENTS_LIMIT.1 };
    let slice = app.backplane.read_newest(identity.company, read).await.map_err(|error| match error {
        ReadError::Unavailable(reason) => Problem::unavailable(&reason),
        ReadError::TooFar { .. } => Problem::unavailable("too much to read"),
    })?;
    let passing: Vec<_> = slice.events.iter().filter(|event| filter.passes(event.event_type.as_str())).collect();
    let newest = passing.iter().skip(passing.len().saturating_sub(limit));
    let last = clock::outward(slice.top.unwrap_or(Cursor::EMPTY));
    let body = body("", newest.map(|event| &event.frame), last);
    Ok(HttpResponse::Ok().insert_header(ContentType::json()).insert_header((CACHE_CONTROL, "no-store")).body(body))
}
