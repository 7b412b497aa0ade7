//! What the HTTP endpoints take and answer, as an OpenAPI document. `utoipa` reads the endpoints, which are annotated where
//! they are; the bodies are those of `shared/schema`. `docs/openapi.json` is this document, `make schema` writes it.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web::Data,
};
use serde_json::{Value, json};
use shared::SCHEMAS;
use utoipa::{
    OpenApi, ToResponse,
    openapi::{RefOr, Response},
};

use super::{Problem, events, poll, publish, revoke, sse, ws};
use crate::{
    app::App,
    defaults::{MAX_PUBLISH_BATCH, OPENAPI_MAX_AGE_SECS},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Realtime gateway",
        description = "What a company's dashboards hear and its services publish. The frames of the WebSocket and of the \
            event stream are described in `docs/asyncapi.yaml`, the rules in `docs/protocol.md`.\n\nRefusals are \
            `application/problem+json` with a stable `code`. Beside those that are listed, every path answers methods that \
            it has not with 405, a request that comes too slowly with 408, and a head that is too large with 431; the last \
            two have no body. The endpoints of the admin listener are not part of this.",
    ),
    servers((url = "/")),
    tags(
        (name = "listening", description = "For whoever may hear a company's events."),
        (name = "publishing", description = "For services, with the scope `publish`."),
        (name = "administration", description = "For services, with the scope `admin`."),
        (name = "description", description = "This document."),
    ),
    paths(ws::plain, sse::stream, poll::poll, events::latest, publish::publish, revoke::revoke, serve),
    components(responses(
        BadQuery, BadEvent, BadRevocation, Unauthorized, Forbidden, PageForbidden, PayloadTooLarge, UpgradeRequired,
        TooManyConnections, TooManyPublishes, RedisRefuses, Busy, Unavailable,
    )),
)]
struct Endpoints;

/// Refusals by their name in the document: the status, the codes, and what it means.
macro_rules! refusals {
    ($($name:ident = $status:literal [$($code:literal),*]: $about:literal;)*) => {$(
        pub(super) struct $name;

        impl ToResponse<'static> for $name {
            fn response() -> (&'static str, RefOr<Response>) {
                (stringify!($name), refusal($status, &[$($code),*], $about).into())
            }
        }
    )*};
}

refusals! {
    BadQuery = 400 ["bad_request", "invalid_cursor", "invalid_types"]: "Something in the query is not understood.";
    BadEvent = 400 ["bad_request", "invalid_event", "invalid_idempotency_key", "too_many_events"]:
        "The body is not one event or up to 100. What is wrong is pointed at in `errors`.";
    BadRevocation = 400 ["bad_request", "invalid_revocation"]: "The body does not say whom.";
    Unauthorized = 401 ["unauthorized"]: "There is no token, or it does not count. Get a new one.";
    Forbidden = 403 ["forbidden", "revoked", "origin_not_allowed"]:
        "The token does not allow it, it was revoked, or the web page is not on the allow-list. Do not repeat it.";
    PageForbidden = 403 ["origin_not_allowed"]: "The web page is not on the allow-list.";
    PayloadTooLarge = 413 ["payload_too_large"]: "The body, or an event in it, is too large.";
    UpgradeRequired = 426 ["upgrade_required"]: "It is not a WebSocket handshake of version 13.";
    TooManyConnections = 429 ["too_many_connections"]: "The company or the user has as many connections as they may.";
    TooManyPublishes = 429 ["too_many_publishes"]: "The token publishes more than it may.";
    RedisRefuses = 500 ["refused"]: "Redis refuses the gateway's user; its log says why.";
    Busy = 503 ["overloaded", "draining", "unavailable"]:
        "The replica is full, goes away, or cannot reach Redis. Ask again after `Retry-After`; another one may answer.";
    Unavailable = 503 ["unavailable"]: "Redis does not answer. Ask again after `Retry-After`.";
}

fn refusal(status: u16, codes: &[&str], about: &str) -> Response {
    let header = |kind: &str, about: &str| json!({ "description": about, "schema": { "type": kind } });
    let headers = match status {
        401 => json!({ "WWW-Authenticate": header("string", "`Bearer`") }),
        426 => json!({ "Sec-WebSocket-Version": header("string", "`13`") }),
        429 | 503 => json!({ "Retry-After": header("integer", "Seconds to wait.") }),
        _ => json!({}),
    };
    let only = json!({ "type": "object", "properties": {
        "status": { "type": "integer", "enum": [status] }, "code": { "type": "string", "enum": codes },
    }});
    let schema = json!({ "allOf": [{ "$ref": "#/components/schemas/Problem" }, only] });
    let content = json!({ "application/problem+json": { "schema": schema } });
    serde_json::from_value(json!({ "description": about, "headers": headers, "content": content }))
        .expect("a response has these members")
}

/// The document, as text.
#[must_use]
pub fn document() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", assembled()));
    &TEXT
}

fn assembled() -> Value {
    let mut document = serde_json::to_value(Endpoints::openapi()).expect("a document has only string keys");
    for operation in
        document["paths"].as_object_mut().into_iter().flatten().filter_map(|(_, path)| path.get_mut("post"))
    {
        operation["requestBody"]["required"] = true.into();
    }
    let components = &mut document["components"];
    components["securitySchemes"] = json!({ "bearer": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "`docs/protocol.md` has the claims. The room comes from `companyId`, and from nothing else.",
    }});
    for schema in SCHEMAS {
        let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
        for (name, mut definition) in schema["$defs"].as_object().into_iter().flatten().map(|(n, d)| (n, d.clone())) {
            refer_here(&mut definition);
            components["schemas"][name] = definition;
        }
    }
    let one = json!({ "$ref": "#/components/schemas/PostedEvent" });
    let many = json!({ "type": "array", "minItems": 1, "maxItems": MAX_PUBLISH_BATCH, "items": one });
    components["schemas"]["PublishRequest"] = json!({ "oneOf": [one, many] });
    document
}

/// Lets the references of a schema lead to where its definitions are in this document.
fn refer_here(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value.as_str().and_then(|text| text.split_once("#/$defs/"))) {
                    ("$ref", Some((_, definition))) => *value = format!("#/components/schemas/{definition}").into(),
                    _ => refer_here(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer_here),
        _ => {}
    }
}

/// This document
///
/// Needs no token.
#[utoipa::path(
    get, path = "/v1/openapi.json", operation_id = "openapi", tag = "description", security(()),
    responses(
        (status = 200, description = "An OpenAPI document.", content_type = "application/json", body = Object),
        (status = 403, response = PageForbidden),
    ),
)]
pub(super) async fn serve(app: Data<Arc<App>>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    app.check_origin(request.headers())?;
    let kept = format!("public, max-age={OPENAPI_MAX_AGE_SECS}");
    Ok(HttpResponse::Ok().insert_header(ContentType::json()).insert_header((CACHE_CONTROL, kept)).body(document()))
}
