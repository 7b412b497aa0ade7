//! Publishes what a program in any language writes to it: one JSON object a line in, one answer a line out.
//!
//! ```text
//! echo '{"companyId":"acme","type":"message:received","data":{"from":"Mme Lefèvre"}}' |
//!   cargo run -p publisher --example stdin -- redis://127.0.0.1:6379
//! {"id":"1763800000123-43","duplicate":false}
//! ```
//!
//! The end-to-end tests of the dashboard publish this way: what their browser shows went through this library.

use std::{
    env,
    io::{BufRead, Write, stdin, stdout},
};

use anyhow::Context;
use chrono::{DateTime, Utc};
use publisher::{
    Published, Publisher, new_event_id,
    shared::{CompanyId, Envelope, EventId, EventType},
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    company_id: String,
    r#type: String,
    data: Box<RawValue>,
    event_id: Option<String>,
    time: Option<DateTime<Utc>>,
}

async fn publish(publisher: &Publisher, line: &str) -> anyhow::Result<Published> {
    let line: Line = serde_json::from_str(line)?;
    let event_id = line.event_id.as_deref().map_or_else(|| Ok(new_event_id()), EventId::parse)?;
    let envelope = Envelope::raw(
        &CompanyId::parse(&line.company_id)?,
        event_id,
        EventType::parse(&line.r#type)?,
        line.time.unwrap_or_else(Utc::now),
        &line.data,
    )?;
    Ok(publisher.publish_envelopes(&[envelope]).await?[0])
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let redis = env::args().nth(1).context("usage: stdin <redis url>")?;
    let publisher = Publisher::connect(&redis)?;
    for line in stdin().lock().lines() {
        let answer = match publish(&publisher, &line?).await {
            Ok(published) => json!({ "id": published.id.to_string(), "duplicate": published.duplicate }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        let mut out = stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
