//! `GET /v1/events`: what is known, for the first paint, and the cursor to go on from.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web::{Data, Query},
};
use serde::Deserialize;
use shared::{Cursor, TypeFilter};

use super::{Listen, Problem};
use crate::{app::App, auth::bearer_of_headers, backplane::ReadError, defaults::EVENTS_LIMIT};

#[derive(Deserialize)]
pub(super) struct Limit {
    limit: Option<usize>,
}

pub(super) async fn latest(app: Data<Arc<App>>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if !app.origins.admit(request.headers()) {
        return Err(Problem::origin_not_allowed());
    }
    let identity = app.identify(bearer_of_headers(request.headers()))?;
    let Listen { wanted, .. } = Listen::parse(request.query_string())?;
    let filter = TypeFilter::new(identity.events, wanted);
    let limit = Query::<Limit>::from_query(request.query_string())
        .map_err(|_| Problem::bad_request("bad_request", "limit: expected a number"))?
        .limit
        .unwrap_or(EVENTS_LIMIT.0);
    if !(1..=EVENTS_LIMIT.1).contains(&limit) {
        return Err(Problem::bad_request("bad_request", &format!("limit: expected 1 to {}", EVENTS_LIMIT.1)));
    }
    let slice = app.backplane.read_newest(identity.company, limit).await.map_err(|error| match error {
        ReadError::Unavailable(reason) => Problem::unavailable(&reason),
        ReadError::TooFar { .. } => Problem::unavailable("too much to read"),
    })?;
    let events: Vec<_> = slice.events.iter().filter(|event| filter.passes(event.event_type.as_str())).collect();
    // The frames are JSON already; nothing is parsed to be written again.
    let mut body = b"{\"events\":[".to_vec();
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(event.json());
    }
    let last = slice.top.unwrap_or(Cursor::EMPTY);
    body.extend_from_slice(format!("],\"lastEventId\":\"{last}\"}}").as_bytes());
    Ok(HttpResponse::Ok().insert_header(ContentType::json()).insert_header((CACHE_CONTROL, "no-store")).body(body))
}
