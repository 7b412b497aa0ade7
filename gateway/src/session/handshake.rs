//! What a request must be to become a session. Pure: headers and query in, a decision out.

use actix_http::{
    RequestHead, StatusCode,
    header::{SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION},
    ws::{HandshakeError, verify_handshake},
};
use shared::{Cursor, TypeFilter};

use crate::{
    app::App,
    auth::{Identity, bearer_of_headers},
    http::{Listen, Problem},
};

/// The path of the WebSocket endpoint.
pub(super) const PATH: &str = "/v1/ws";

/// The subprotocol that the server selects.
const PROTOCOL: &str = "realtime.v1";

/// A request that may become a session.
pub(super) struct Accepted {
    pub(super) identity: Identity,
    pub(super) filter: TypeFilter,
    pub(super) cursor: Option<Cursor>,
    /// The subprotocol to select, if the client offered ours.
    pub(super) protocol: Option<&'static str>,
}

/// Checks a request.
pub(super) fn check(app: &App, head: &RequestHead) -> Result<Accepted, Problem> {
    if head.uri.path() != PATH {
        return Err(Problem::not_found());
    }
    if !app.origins.admit(head.headers()) {
        return Err(Problem::origin_not_allowed());
    }
    verify_handshake(head).map_err(|error| match error {
        HandshakeError::GetMethodRequired => Problem::method_not_allowed("GET"),
        HandshakeError::UnsupportedVersion | HandshakeError::NoVersionHeader => {
            Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "WebSocket version 13 is required")
                .with_header(SEC_WEBSOCKET_VERSION, "13")
        }
        other => Problem::bad_request("bad_request", &other.to_string()),
    })?;
    let identity = app.identify(bearer_of_headers(head.headers()))?;
    let Listen { cursor, wanted } = Listen::parse(head.uri.query().unwrap_or_default())?;
    let filter = TypeFilter::new(identity.events.clone(), wanted);
    let protocol = head
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offered| offered.trim() == PROTOCOL)
        .then_some(PROTOCOL);
    Ok(Accepted { identity, filter, cursor, protocol })
}
