//! The ten lines: `cargo run -p publisher --example publish -- redis://127.0.0.1:6379`

use std::env;

use anyhow::Context;
use publisher::{Publisher, shared::CompanyId, shared::events::DevisSigned};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
async fn main() -> anyhow::Result<()> {
    let publisher = Publisher::connect(&env::args().nth(1).context("usage: publish <redis url>")?)?;
    let company = CompanyId::parse("plomberie-durand")?;
    let event = DevisSigned {
        devis_id: "d-41".into(),
        number: "D-2026-041".into(),
        client_id: "c-7".into(),
        client_name: "Mme Lefèvre".into(),
        amount_cents: 482_000,
        signed_by: "Mme Lefèvre".into(),
        signed_at: chrono::Utc::now(),
    };
    let published = publisher.publish(&company, event).await?;
    println!("stored as {} (duplicate: {})", published.id, published.duplicate);
    Ok(())
}
