//! A "devis" service on actix-web: its handler signs a quote, commits, and tells the dashboards.
//!
//! ```text
//! cargo run -p publisher --example devis_service -- redis://127.0.0.1:6379 127.0.0.1:8090
//! curl -X POST http://127.0.0.1:8090/devis/d-1/sign
//! {"number":"D-2026-041","signed":true,"realtime":"notified"}
//! ```
//!
//! Publishing comes after the commit, and its failure does not fail the request: the quote *is* signed. The answer
//! says what became of the notice, so that the caller's screen can reload on its own. A service that may not miss a
//! notice uses an outbox instead: `examples/outbox.rs`.

use std::{env, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, Responder, post, web};
use anyhow::Context;
use publisher::{
    PublishError, Publisher,
    shared::{CompanyId, EventId, events::DevisSigned},
};
use rusqlite::OptionalExtension;
use tokio::sync::Mutex;

struct Service {
    database: Mutex<rusqlite::Connection>,
    publisher: Publisher,
}

#[post("/devis/{id}/sign")]
async fn sign(service: web::Data<Service>, id: web::Path<String>) -> actix_web::Result<impl Responder> {
    // The lock ends with this statement: nobody waits for Redis with the database in hand.
    let signed = commit_signature(&mut *service.database.lock().await, &id)
        .map_err(actix_web::error::ErrorInternalServerError)?;
    let Some((company, event)) = signed else { return Ok(HttpResponse::NotFound().finish()) };
    let number = event.number.clone();

    // One signature per quote, so its name can be the event id: a second click publishes nothing twice.
    let event_id = EventId::parse(&format!("devis-signed:{id}")).map_err(actix_web::error::ErrorBadRequest)?;
    let realtime = match service.publisher.publish_with_id(&company, event_id, event).await {
        Ok(_) => "notified",
        Err(PublishError::Unknown(_)) => "unknown",
        Err(error) => {
            tracing::warn!(%error, retryable = error.is_retryable(), "signed, but realtime was not notified");
            "not notified"
        }
    };
    Ok(HttpResponse::Ok().json(serde_json::json!({ "number": number, "signed": true, "realtime": realtime })))
}

/// Signs and commits. Signing again changes nothing and tells of the first signature; `None`: there is no such quote.
fn commit_signature(db: &mut rusqlite::Connection, id: &str) -> anyhow::Result<Option<(CompanyId, DevisSigned)>> {
    let transaction = db.transaction()?;
    transaction.execute(
        "UPDATE devis SET signed_at = ?2 WHERE id = ?1 AND signed_at IS NULL",
        (id, chrono::Utc::now().timestamp_millis()),
    )?;
    let row = transaction
        .query_row("SELECT company, number, client, amount_cents, signed_at FROM devis WHERE id = ?1", [id], |row| {
            let signed = DevisSigned {
                devis_id: id.into(),
                number: row.get(1)?,
                client_id: "c-7".into(),
                client_name: row.get(2)?,
                amount_cents: row.get(3)?,
                signed_by: row.get(2)?,
                signed_at: chrono::DateTime::from_timestamp_millis(row.get(4)?).unwrap_or_default(),
            };
            Ok((row.get::<_, String>(0)?, signed))
        })
        .optional()?;
    transaction.commit()?;
    row.map(|(company, event)| Ok((CompanyId::parse(&company)?, event))).transpose()
}

#[actix_web::main]
#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
async fn main() -> anyhow::Result<()> {
    let redis = env::args().nth(1).context("usage: devis_service <redis url> [address]")?;
    let address = env::args().nth(2).unwrap_or_else(|| "127.0.0.1:8090".into());
    let database = rusqlite::Connection::open_in_memory()?;
    database.execute_batch(
        "CREATE TABLE devis (id TEXT PRIMARY KEY, company TEXT, number TEXT, client TEXT, amount_cents INT, signed_at INT);
         INSERT INTO devis VALUES ('d-1', 'plomberie-durand', 'D-2026-041', 'Mme Lefèvre', 482000, NULL);",
    )?;
    // A person waits for the answer: two seconds are enough for a reconnect, and bearable.
    let publisher = Publisher::builder(&redis).deadline(Duration::from_secs(2)).build()?;
    let service = web::Data::new(Service { database: Mutex::new(database), publisher });
    println!("listening: curl -X POST http://{address}/devis/d-1/sign");
    HttpServer::new(move || App::new().app_data(service.clone()).service(sign)).workers(2).bind(address)?.run().await?;
    Ok(())
}
