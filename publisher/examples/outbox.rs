//! The transactional outbox: what is committed is published, once, whatever dies in between.
//!
//! ```text
//! cargo run -p publisher --example outbox -- redis://127.0.0.1:6379 outbox.db sign d-1   # commit only
//! cargo run -p publisher --example outbox -- redis://127.0.0.1:6379 outbox.db relay     # publish what is due, end
//! ```
//!
//! `sign` writes the quote and its event in one SQLite transaction. `relay` publishes the oldest rows under *their*
//! event ids and deletes them after the acknowledgement. Killed between the two, it publishes them again the next time,
//! and Redis answers `duplicate`. That holds for the 24 h that event ids are remembered. Run one relay per database:
//! two would double nothing, but could swap the order of events.

use std::{env, time::Duration};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use publisher::{
    PublishError, Publisher, new_event_id,
    shared::{CompanyId, Envelope, Event, EventId, EventType, events::DevisSigned},
};
use rusqlite::{Connection, Transaction};
use serde_json::value::{RawValue, to_raw_value};

/// Rows per round: what one run of the publish script takes.
const BATCH: u32 = 100;
/// Between two looks at Redis while it is away.
const PAUSE: Duration = Duration::from_secs(1);

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS devis (id TEXT PRIMARY KEY, signed_at INT NOT NULL);
    CREATE TABLE IF NOT EXISTS outbox (
        place INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE,
        company TEXT NOT NULL, type TEXT NOT NULL, time INT NOT NULL, data TEXT NOT NULL);";

/// The service's side: the fact and its event in one transaction.
fn sign(db: &mut Connection, company: &CompanyId, devis: &str) -> anyhow::Result<()> {
    let now = Utc::now();
    let transaction = db.transaction()?;
    transaction.execute("INSERT INTO devis VALUES (?1, ?2)", (devis, now.timestamp_millis()))?;
    let event = DevisSigned {
        devis_id: devis.into(),
        number: format!("D-2026-{devis}"),
        client_id: "c-7".into(),
        client_name: "Mme Lefèvre".into(),
        amount_cents: 482_000,
        signed_by: "Mme Lefèvre".into(),
        signed_at: now,
    };
    enqueue(&transaction, company, now, &event)?;
    Ok(transaction.commit()?)
}

fn enqueue<E: Event>(
    transaction: &Transaction<'_>,
    company: &CompanyId,
    time: DateTime<Utc>,
    event: &E,
) -> anyhow::Result<()> {
    let id = new_event_id();
    // Sealing it here refuses an event that could never be published before it is committed.
    Envelope::typed(company, id.clone(), time, event)?;
    transaction.execute(
        "INSERT INTO outbox (event_id, company, type, time, data) VALUES (?1, ?2, ?3, ?4, ?5)",
        (id.as_str(), company.as_str(), E::TYPE, time.timestamp_millis(), to_raw_value(event)?.get()),
    )?;
    Ok(())
}

/// The oldest rows, sealed under the event ids that they were committed with.
fn due(db: &Connection) -> anyhow::Result<Vec<(i64, Envelope)>> {
    let mut query =
        db.prepare("SELECT place, event_id, company, type, time, data FROM outbox ORDER BY place LIMIT ?1")?;
    let mut rows = query.query([BATCH])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get::<_, String>(column);
        let envelope = Envelope::raw(
            &CompanyId::parse(&text(2)?)?,
            EventId::parse(&text(1)?)?,
            EventType::parse(&text(3)?)?,
            DateTime::from_timestamp_millis(row.get(4)?).context("time out of range")?,
            &RawValue::from_string(text(5)?)?,
        )?;
        due.push((row.get(0)?, envelope));
    }
    Ok(due)
}

/// Publishes until nothing is due; gives how many were new. A service would go on and wait for the next commit.
async fn relay(db: &mut Connection, publisher: &Publisher) -> anyhow::Result<usize> {
    let mut new = 0;
    loop {
        let (places, envelopes): (Vec<i64>, Vec<Envelope>) = due(db)?.into_iter().unzip();
        if envelopes.is_empty() {
            return Ok(new);
        }
        match publisher.publish_envelopes(&envelopes).await {
            Ok(published) => new += published.iter().filter(|one| !one.duplicate).count(),
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "the outbox waits for Redis");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(error @ PublishError::Refused(_)) => bail!("somebody has to look at this: {error}"),
            Err(error) => return Err(error.into()),
        }
        // kill -9 here: the rows are published again, and known.
        if env::args().any(|argument| argument == "--die-before-delete") {
            std::process::abort();
        }
        let transaction = db.transaction()?;
        for place in places {
            transaction.execute("DELETE FROM outbox WHERE place = ?1", [place])?;
        }
        transaction.commit()?;
    }
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [redis, file, command, rest @ ..] = arguments.as_slice() else {
        bail!("usage: outbox <redis url> <database> sign <devis> | relay");
    };
    let mut db = Connection::open(file)?;
    db.execute_batch(SCHEMA)?;
    match (command.as_str(), rest) {
        ("sign", [devis]) => {
            sign(&mut db, &CompanyId::parse("plomberie-durand")?, devis)?;
            println!("{devis} is signed, its event committed");
        }
        ("relay", _) => println!("{} new events published", relay(&mut db, &Publisher::connect(redis)?).await?),
        _ => bail!("usage: outbox <redis url> <database> sign <devis> | relay"),
    }
    Ok(())
}
