//! Probes and metrics, on a listener of their own.

use std::sync::Arc;

use actix_web::{HttpResponse, http::header::CONTENT_TYPE, web};

use crate::app::App;

/// The admin endpoints.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/livez", web::get().to(livez))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(metrics));
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

async fn metrics(app: web::Data<Arc<App>>) -> HttpResponse {
    app.metrics.revocations.set(app.revocations.sweep() as i64);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(app.metrics.render(&app.health))
}
