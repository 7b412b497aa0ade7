use actix_web::web::Query;
use serde::Deserialize;
use shared::{Cursor, TypeFilter, TypePattern};

use super::Problem;

/// What a client that listens may ask for in the query, whatever the transport.
#[derive(Debug, Default)]
pub struct Listen {
    /// The last event that it has.
    pub cursor: Option<Cursor>,
    /// The types that it is interested in.
    pub wanted: Option<Vec<TypePattern>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    last_event_id: Option<String>,
    types: Option<String>,
}

impl Listen {
    /// Reads a query string. Members that it does not know are ignored.
    ///
    /// # Errors
    /// 400 when the cursor or a type pattern is malformed.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let Query(raw) = Query::<Raw>::from_query(query)
            .map_err(|error| Problem::bad_request("bad_request", &format!("malformed query: {error}")))?;
        let cursor = raw.last_event_id.filter(|text| !text.is_empty()).map(|text| text.parse()).transpose();
        let wanted = raw.types.filter(|text| !text.is_empty()).map(|text| TypeFilter::parse_list(&text)).transpose();
        Ok(Self {
            cursor: cursor.map_err(|error| Problem::bad_request("invalid_cursor", &format!("lastEventId: {error}")))?,
            wanted: wanted.map_err(|error| Problem::bad_request("invalid_types", &format!("types: {error}")))?,
        })
    }
}
