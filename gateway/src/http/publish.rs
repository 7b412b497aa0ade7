//! `POST /v1/events`: publishing, for services that are not Rust.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::{CompanyId, Cursor, Envelope, EventId, EventType, MAX_EVENT_BYTES, Scope};

use super::Problem;
use tokio::time::timeout;

use crate::{
    app::App,
    auth::bearer_of_headers,
    defaults::{BODY_TIMEOUT, MAX_PUBLISH_BATCH},
};

/// A full batch of the largest events.
const MAX_BODY: usize = MAX_PUBLISH_BATCH * MAX_EVENT_BYTES + 64 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Draft<'a> {
    company_id: CompanyId,
    r#type: EventType,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default)]
    event_id: Option<EventId>,
    #[serde(default)]
    time: Option<DateTime<Utc>>,
}

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
    app.check_origin(request.headers())?;
    let claims = app.claims(bearer_of_headers(request.headers()))?;
    if !claims.has_scope(Scope::Publish) {
        return Err(Problem::forbidden("the token lacks the scope publish"));
    }
    // Only now: strangers are not read.
    let body = match timeout(BODY_TIMEOUT, payload.to_bytes_limited(MAX_BODY)).await {
        Ok(Ok(Ok(body))) => body,
        Ok(Ok(Err(error))) => return Err(Problem::bad_request("bad_request", &format!("the body broke off: {error}"))),
        Ok(Err(_)) => return Err(Problem::too_large(&format!("the body may have {MAX_BODY} bytes"))),
        Err(_) => return Err(Problem::bad_request("bad_request", "the body took too long")),
    };
    let envelopes = seal(&body, |company| claims.company_id.covers(company))?;
    let count = envelopes.len();
    let (envelopes, span) = app.traces.publish(request.headers(), envelopes);
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

/// Checks a body, one event or an array, and seals its events.
pub(crate) fn seal(body: &[u8], may_publish: impl Fn(&CompanyId) -> bool) -> Result<Vec<Envelope>, Problem> {
    let many = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let drafts: Vec<&RawValue> = if many {
        serde_json::from_slice(body).map_err(|error| invalid(None, &error))?
    } else {
        vec![serde_json::from_slice(body).map_err(|error| invalid(None, &error))?]
    };
    if drafts.is_empty() {
        return Err(Problem::bad_request("invalid_event", "there is no event in the array"));
    }
    if drafts.len() > MAX_PUBLISH_BATCH {
        let detail = format!("{} events, at most {MAX_PUBLISH_BATCH} may be published at once", drafts.len());
        return Err(Problem::bad_request("too_many_events", &detail));
    }
    let now = Utc::now();
    let one = |(index, text): (usize, &RawValue)| {
        let place = many.then_some(index);
        let draft: Draft<'_> = serde_json::from_str(text.get()).map_err(|error| invalid(place, &error))?;
        if !may_publish(&draft.company_id) {
            return Err(Problem::forbidden(&format!("the token does not speak for company {}", draft.company_id)));
        }
        let event_id = draft.event_id.unwrap_or_else(publisher::new_event_id);
        Envelope::raw(&draft.company_id, event_id, draft.r#type, draft.time.unwrap_or(now), draft.data).map_err(
            |error| match error {
                shared::EnvelopeError::TooBig(_) => Problem::too_large(&located(place, &error.to_string())),
                _ => invalid(place, &error),
            },
        )
    };
    drafts.into_iter().enumerate().map(one).collect()
}

fn invalid(place: Option<usize>, error: &dyn std::fmt::Display) -> Problem {
    Problem::bad_request("invalid_event", &located(place, &error.to_string()))
}

fn located(place: Option<usize>, text: &str) -> String {
    place.map_or_else(|| text.to_owned(), |index| format!("event {index}: {text}"))
}
