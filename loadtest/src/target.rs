//! Where events are published to: Redis, through the `publisher` library, or a gateway's `POST /v1/events`.

use std::{fmt, time::Duration};

use anyhow::Context;
use publisher::{PublishError, Publisher};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::{Cursor, Envelope};

use crate::defaults::{BATCH, HTTP_TIMEOUT, RETRY_AFTER_CAP};

/// Where to publish.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TargetArgs {
    /// Publish to this Redis, as an API service does (redis://…)
    #[arg(long, value_name = "URL", env = "LOADTEST_REDIS_URL", conflicts_with = "gateway")]
    pub(crate) redis: Option<String>,
    /// Publish through this gateway's POST /v1/events [default: http://127.0.0.1:8080]
    #[arg(long, value_name = "URL", env = "LOADTEST_GATEWAY_URL")]
    pub(crate) gateway: Option<String>,
}

/// What a publish came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Stored {
    /// Its place in the log.
    pub(crate) id: Cursor,
    /// It was there already.
    pub(crate) duplicate: bool,
}

/// Why a publish failed.
#[derive(Debug)]
pub(crate) struct TargetError {
    /// For people.
    pub(crate) message: String,
    /// Whether the same events under the same ids may pass later.
    pub(crate) retryable: bool,
    /// Not before this time has passed.
    pub(crate) retry_after: Option<Duration>,
}

/// An open way to publish.
pub(crate) enum Target {
    /// To Redis.
    Redis(Publisher),
    /// To a gateway.
    Gateway(Box<Endpoint>),
}

/// `POST /v1/events` of one gateway.
pub(crate) struct Endpoint {
    client: reqwest::Client,
    url: reqwest::Url,
    token: SecretString,
}

impl Target {
    /// Opens the target; `token` is asked for only where one is needed.
    pub(crate) fn open(args: &TargetArgs, token: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<Self> {
        if let Some(url) = &args.redis {
            return Ok(Self::Redis(Publisher::connect(url).context("--redis")?));
        }
        let base = args.gateway.as_deref().unwrap_or("http://127.0.0.1:8080");
        let url = reqwest::Url::parse(base).and_then(|url| url.join("/v1/events")).context("--gateway")?;
        anyhow::ensure!(url.scheme() == "http", "--gateway speaks http:// only; end TLS before it");
        let client = reqwest::Client::builder().timeout(HTTP_TIMEOUT).no_proxy().build()?;
        Ok(Self::Gateway(Box::new(Endpoint { client, url, token: token()?.into() })))
    }

    /// Publishes in order; each company's events keep their order. Again under the same ids is no harm.
    pub(crate) async fn publish(&self, envelopes: &[Envelope]) -> Result<Vec<Stored>, TargetError> {
        match self {
            Self::Redis(publisher) => {
                let published = publisher.publish_envelopes(envelopes).await?;
                Ok(published.into_iter().map(|one| Stored { id: one.id, duplicate: one.duplicate }).collect())
            }
            Self::Gateway(endpoint) => {
                let mut stored = Vec::with_capacity(envelopes.len());
                for chunk in envelopes.chunks(BATCH) {
                    stored.extend(endpoint.post(chunk).await?);
                }
                Ok(stored)
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(_) => f.write_str("Redis"),
            Self::Gateway(endpoint) => f.write_str(endpoint.url.as_str()),
        }
    }
}

/// The answer to a publish.
#[derive(Deserialize)]
struct Answer {
    results: Vec<Stored>,
}

impl Endpoint {
    async fn post(&self, envelopes: &[Envelope]) -> Result<Vec<Stored>, TargetError> {
        let request = self
            .client
            .post(self.url.clone())
            .bearer_auth(self.token.expose_secret())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body(envelopes));
        let response = request.send().await.map_err(|error| TargetError::later(said(&error)))?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        if status.is_success() {
            let answer: Answer = response.json().await.map_err(|error| TargetError::later(said(&error)))?;
            if answer.results.len() == envelopes.len() {
                return Ok(answer.results);
            }
            return Err(TargetError::later(format!("{} answers to {} events", answer.results.len(), envelopes.len())));
        }
        let problem = problem(&response.bytes().await.unwrap_or_default());
        let retryable = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        Err(TargetError { message: format!("the gateway answers {status}: {problem}"), retryable, retry_after })
    }
}

/// `Retry-After` in seconds, within reason.
pub(crate) fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_CAP))
}

/// What a refusal says for people: the detail of a problem document, else the text itself, cut short.
pub(crate) fn problem(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Problem {
        code: String,
        detail: Option<String>,
    }
    let text = match serde_json::from_slice::<Problem>(body) {
        Ok(Problem { code, detail: Some(detail) }) => format!("{code}: {detail}"),
        Ok(Problem { code, detail: None }) => code,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// The events as the gateway takes them: an envelope's tail already holds everything but the event id.
fn body(envelopes: &[Envelope]) -> String {
    let mut body = String::from("[");
    for envelope in envelopes {
        if body.len() > 1 {
            body.push(',');
        }
        body.push_str("{\"eventId\":\"");
        body.push_str(envelope.event_id().as_str());
        body.push_str("\",");
        body.push_str(envelope.tail());
    }
    body + "]"
}

/// An error and what is behind it, in one line.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl TargetError {
    fn later(message: String) -> Self {
        Self { message, retryable: true, retry_after: None }
    }
}

impl From<PublishError> for TargetError {
    fn from(error: PublishError) -> Self {
        Self { message: said(&error), retryable: error.is_retryable(), retry_after: None }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use shared::{CompanyId, EventId, EventType};

    use super::*;

    #[test]
    fn the_body_is_what_the_contract_asks_for() {
        let envelope = Envelope::raw(
            &CompanyId::parse("acme").unwrap(),
            EventId::parse("e:1").unwrap(),
            EventType::parse("devis:signed").unwrap(),
            chrono::DateTime::UNIX_EPOCH,
            &RawValue::from_string("{\"a\":1}".to_owned()).unwrap(),
        )
        .unwrap();
        let one = serde_json::json!({
            "companyId": "acme", "type": "devis:signed", "data": {"a": 1}, "eventId": "e:1",
            "time": "1970-01-01T00:00:00.000Z",
        });
        let written: serde_json::Value = serde_json::from_str(&body(&[envelope.clone(), envelope])).unwrap();
        assert_eq!(written, serde_json::json!([one, one]));
    }
}
