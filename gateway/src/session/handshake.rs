//! What a request must be to become a session. Pure: headers and query in, a decision out.

use actix_http::{
    RequestHead, StatusCode, Version,
    header::{CONTENT_LENGTH, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING},
    ws::{HandshakeError, verify_handshake},
};

use crate::{
    app::App,
    http::{Listener, Problem},
};

/// The path of the WebSocket endpoint.
pub(super) const PATH: &str = "/v1/ws";

/// The subprotocol that the server selects.
const PROTOCOL: &str = "realtime.v1";

/// A request that may become a session.
pub(super) struct Accepted {
    pub(super) listener: Listener,
    /// The subprotocol to select, if the client offered ours.
    pub(super) protocol: Option<&'static str>,
}

/// Checks a request.
pub(super) async fn check(app: &App, head: &RequestHead) -> Result<Accepted, Problem> {
    if head.uri.path() != PATH {
        return Err(Problem::not_found());
    }
    app.check_origin(head.headers())?;
    verify_handshake(head).map_err(|error| match error {
        HandshakeError::GetMethodRequired => Problem::method_not_allowed("GET"),
        HandshakeError::UnsupportedVersion | HandshakeError::NoVersionHeader => {
            Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "WebSocket version 13 is required")
                .with_header(SEC_WEBSOCKET_VERSION, "13")
        }
        other => Problem::bad_request("bad_request", &other.to_string()),
    })?;
    if head.version < Version::HTTP_11 || has_body(head) {
        return Err(Problem::bad_request("bad_request", "a WebSocket handshake is HTTP/1.1 and has no body"));
    }
    app.knock()?;
    let listener = Listener::of(app, head.headers(), head.uri.query().unwrap_or_default()).await?;
    let protocol = head
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offered| offered.trim() == PROTOCOL)
        .then_some(PROTOCOL);
    Ok(Accepted { listener, protocol })
}

/// A proxy that honours the length, and a server that takes the body for frames, would disagree about what follows.
fn has_body(head: &RequestHead) -> bool {
    head.headers().contains_key(TRANSFER_ENCODING)
        || head.headers().get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}
