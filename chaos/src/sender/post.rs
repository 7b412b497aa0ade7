//! Publishing through a gateway.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use serde::Deserialize;
use serde_json::json;
use shared::{Cursor, Event};

use crate::{oracle::Fact, token};

pub(super) struct Post {
    client: reqwest::Client,
    url: String,
    token: String,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Stored>,
}

#[derive(Deserialize)]
struct Stored {
    id: Cursor,
}

impl Post {
    pub(super) fn new(public: SocketAddr) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(8)).build()?;
        Ok(Self { client, url: format!("http://{public}/v1/events"), token: token::service()? })
    }

    /// Publishes under the fact's own event id; where it is stored.
    pub(super) async fn send(&self, fact: &Fact) -> anyhow::Result<Cursor> {
        let body = json!({ "companyId": fact.company, "type": Fact::TYPE, "eventId": fact.event, "data": fact });
        let answer = self.client.post(&self.url).bearer_auth(&self.token).json(&body).send().await?;
        let answer: Answer = answer.error_for_status()?.json().await?;
        Ok(answer.results.first().context("no result")?.id)
    }
}
