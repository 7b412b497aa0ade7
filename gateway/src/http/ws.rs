//! `GET /v1/ws` without an upgrade. One with it does not come here: `session::upgrade` takes it before the routes.

use super::{
    Problem,
    listen::Wishes,
    openapi::{BadQuery, Busy, Forbidden, TooManyConnections, Unauthorized, UpgradeRequired},
};

/// The WebSocket
///
/// The frames are described in `docs/asyncapi.yaml`. A browser brings its token as a subprotocol:
/// `new WebSocket(url, ["realtime.v1", "bearer." + jwt])`. It does not see the status of a refused upgrade, and asks
/// `GET /v1/poll?wait=0` for it.
#[utoipa::path(
    get, path = "/v1/ws", operation_id = "socket", tag = "listening", security(("bearer" = [])), params(Wishes),
    responses(
        (status = 101, description = "From here on it is a WebSocket."),
        (status = 400, response = BadQuery),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 426, response = UpgradeRequired),
        (status = 429, response = TooManyConnections),
        (status = 503, response = Busy),
    ),
)]
pub(super) async fn plain() -> Result<&'static str, Problem> {
    Err(Problem::upgrade_required())
}
