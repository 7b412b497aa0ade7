//! Everything that is not a WebSocket: one file per endpoint, [`Problem`] for whatever is refused.

mod admin;
mod events;
mod listen;
mod problem;
mod publish;

pub use admin::routes as admin_routes;
pub use listen::Listen;
pub use problem::Problem;

use std::sync::Arc;

use actix_cors::Cors;
use actix_web::web;

use crate::app::App;

/// Lets the web pages of the allow-list read answers. Whether a request is served at all is decided by its endpoint.
pub fn cors(app: Arc<App>) -> Cors {
    Cors::default()
        .allowed_origin_fn(move |origin, _| origin.to_str().is_ok_and(|origin| app.origins.allows(origin)))
        .allowed_methods(["GET", "POST"])
        .allowed_headers(["authorization", "content-type", "last-event-id"])
        .expose_headers(["retry-after"])
        .max_age(3600)
}

/// The public endpoints.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(publish::MAX_BODY))
        .service(
            web::resource("/v1/events")
                .route(web::get().to(events::latest))
                .route(web::post().to(publish::publish))
                .default_service(web::to(|| async { Err::<&str, _>(Problem::method_not_allowed("GET, POST")) })),
        )
        .service(web::resource("/v1/ws").to(|| async { Err::<&str, _>(Problem::upgrade_required()) }))
        .default_service(web::to(|| async { Err::<&str, _>(Problem::not_found()) }));
}
