use actix_http::header::HeaderMap;
use actix_web::web::Query;
use serde::Deserialize;
use shared::{Cursor, TypeFilter};
use utoipa::IntoParams;

use super::Problem;
use crate::{
    app::App,
    auth::{Identity, bearer_of_headers},
    defaults::MAX_TYPE_PATTERNS,
};

/// Somebody who may listen, whatever the transport: who, to what, and from where.
#[derive(Debug)]
pub struct Listener {
    /// Who, and so which room.
    pub identity: Identity,
    /// What the token allows and the query asks for.
    pub filter: TypeFilter,
    /// The last event that the client has.
    pub cursor: Option<Cursor>,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct Wishes {
    /// The last event that the client has handled; without it, only what is to come.
    #[param(pattern = "^([0-9]{1,19}-[0-9]{1,19})?$")]
    last_event_id: Option<String>,
    /// Only these types: `devis:*,facture:paid`. At most 64.
    #[param(
        pattern = r"^((\*|[a-z0-9_-]{1,32}:(\*|[a-z0-9_-]{1,32}))(,(\*|[a-z0-9_-]{1,32}:(\*|[a-z0-9_-]{1,32}))){0,63})?$"
    )]
    types: Option<String>,
}

impl Listener {
    /// Checks a request's token and query. The header `Last-Event-ID`, which browsers send on their own when an event
    /// stream reconnects, goes before the query.
    ///
    /// # Errors
    /// 401, 403 or 503 for the token, 400 for a malformed cursor or type pattern.
    pub async fn of(app: &App, headers: &HeaderMap, query: &str) -> Result<Self, Problem> {
        let identity = app.identify(bearer_of_headers(headers)).await?;
        let Query(wishes) = Query::<Wishes>::from_query(query)
            .map_err(|error| Problem::bad_request("bad_request", &format!("malformed query: {error}")))?;
        let header = headers.get("last-event-id").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let cursor = header
            .or(wishes.last_event_id)
            .filter(|text| !text.is_empty())
            .map(|text| text.parse())
            .transpose()
            .map_err(|error| Problem::bad_request("invalid_cursor", &format!("lastEventId: {error}")))?;
        let wanted = wishes
            .types
            .filter(|text| !text.is_empty())
            .map(|text| TypeFilter::parse_list(&text))
            .transpose()
            .map_err(|error| Problem::bad_request("invalid_types", &format!("types: {error}")))?;
        if wanted.as_ref().is_some_and(|patterns| patterns.len() > MAX_TYPE_PATTERNS) {
            return Err(Problem::bad_request("invalid_types", &format!("types: at most {MAX_TYPE_PATTERNS} patterns")));
        }
        let filter = TypeFilter::new(identity.events.clone(), wanted);
        Ok(Self { identity, filter, cursor })
    }
}
