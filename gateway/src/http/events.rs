//! `GET /v1/events`: what is known, for the first paint, and the cursor to go on from.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web::{Data, Query},
};
use serde::Deserialize;
use shared::Cursor;

use super::{Listener, Problem, body};
use crate::{app::App, backplane::ReadError, clock, defaults::EVENTS_LIMIT};

#[derive(Deserialize)]
pub(super) struct Limit {
    limit: Option<usize>,
}

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
