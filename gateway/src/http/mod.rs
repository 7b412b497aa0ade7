//! Everything that is not a WebSocket: one file per endpoint, [`Problem`] for whatever is refused.

mod admin;
mod draft;
mod events;
mod held;
mod listen;
mod openapi;
mod pages;
mod payload;
mod poll;
mod posted;
mod presence;
mod problem;
mod publish;
mod revoke;
mod sse;
mod ws;

pub use admin::routes as admin_routes;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use draft::seal;
pub use listen::Listener;
pub use openapi::document as openapi;
pub use pages::Pages;
pub use problem::Problem;

use std::{rc::Rc, sync::Arc};

use actix_cors::Cors;
use actix_http::ConnectionType;
use actix_web::{
    Error, HttpRequest, Resource,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};
use shared::Cursor;

use self::held::Held;
use crate::{app::App, metrics::Metrics, wire::Frame, worker::Worker};

/// Lets the web pages of the allow-list read answers. Whether a request is served at all is decided by its endpoint.
pub fn cors(app: Arc<App>) -> Cors {
    Cors::default()
        .allowed_origin_fn(move |origin, _| origin.to_str().is_ok_and(|origin| app.origins.allows(origin)))
        .allowed_methods(["GET", "POST"])
        .allowed_headers(["authorization", "content-type", "idempotency-key", "last-event-id"])
        .expose_headers(["retry-after"])
        .max_age(3600)
}

/// Ends connections that are kept open for further requests once the replica goes away, so that those reach another one,
/// and at once those on which a body was not read to its end.
///
/// # Errors
/// Those of the endpoint.
pub async fn let_go(
    app: web::Data<Arc<App>>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let held = Held::of(&mut request);
    let mut answer = next.call(request).await?;
    if app.health.is_draining() {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(match held {
        Some(held) => answer.map_body(|_, body| held.beside(body)).map_into_right_body(),
        None => answer.map_into_left_body(),
    })
}

/// Counts a request that its bearer may not make, and that was not counted yet.
pub fn count_refusal<B>(metrics: &Metrics, response: &ServiceResponse<B>) {
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    if let Some(problem) = problem.filter(|problem| problem.is_about_rights() && !problem.is_counted()) {
        metrics.rejected(problem.reason());
    }
}

/// The public endpoints.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/v1/events", "GET, POST")
                .route(web::get().to(events::latest))
                .route(web::post().to(publish::publish)),
        )
        .service(resource("/v1/revocations", "POST").route(web::post().to(revoke::revoke)))
        .service(resource("/v1/sse", "GET").route(web::get().to(sse::stream)))
        .service(resource("/v1/poll", "GET").route(web::get().to(poll::poll)))
        .service(resource("/v1/ws", "GET").route(web::get().to(ws::plain)))
        .service(resource("/v1/openapi.json", "GET").route(web::get().to(openapi::serve)))
        .default_service(web::to(pages::serve));
}

/// A resource that answers other methods than those that are allowed with 405.
fn resource(path: &str, allowed: &'static str) -> Resource {
    web::resource(path)
        .default_service(web::to(move || async move { Err::<&str, _>(Problem::method_not_allowed(allowed)) }))
}

/// The worker whose thread serves the request.
fn worker_of(request: &HttpRequest) -> &Rc<Worker> {
    request.app_data().expect("every worker puts itself into its own routes")
}

/// `{…,"events":[…],"lastEventId":"…"}`. The frames are JSON already; nothing is parsed to be written again.
fn body<'a>(first: &str, events: impl Iterator<Item = &'a Frame>, last: Cursor) -> Vec<u8> {
    let mut body = format!("{{{first}\"events\":[").into_bytes();
    for (index, frame) in events.enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(frame.json());
    }
    body.extend_from_slice(format!("],\"lastEventId\":\"{last}\"}}").as_bytes());
    body
}
