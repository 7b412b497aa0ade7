//! Probes and metrics, on a listener of their own.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_TYPE, ORIGIN},
    web,
};

use super::{Problem, resource};
use crate::app::App;

/// The admin endpoints.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/livez", "GET").route(web::get().to(livez)))
        .service(resource("/readyz", "GET").route(web::get().to(readyz)))
        .service(resource("/metrics", "GET").route(web::get().to(metrics)))
        .service(resource("/drain", "POST").route(web::post().to(drain)));
}

async fn livez(app: web::Data<Arc<App>>) -> HttpResponse {
    if app.health.is_alive() {
        HttpResponse::Ok().body("ok\n")
    } else {
        HttpResponse::ServiceUnavailable().body("broken\n")
    }
}

async fn readyz(app: web::Data<Arc<App>>) -> HttpResponse {
    match app.health.ready() {
        Ok(()) => HttpResponse::Ok().body("ok\n"),
        Err(reason) => HttpResponse::ServiceUnavailable().body(format!("{}\n", reason.label())),
    }
}

/// Does what SIGTERM does, and answers before it is done. Asked again, it says how far it has come.
async fn drain(app: web::Data<Arc<App>>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    // A web page that happens to know the port is not an operator.
    if request.headers().contains_key(ORIGIN) {
        return Err(Problem::origin_not_allowed());
    }
    app.health.drain();
    Ok(HttpResponse::Accepted().body(format!("draining, {} left\n", app.health.connections())))
}

async fn metrics(app: web::Data<Arc<App>>) -> HttpResponse {
    app.metrics.revocations.set(app.revocations.sweep() as i64);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(app.metrics.render(&app.health))
}
