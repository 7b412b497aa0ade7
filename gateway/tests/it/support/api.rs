//! The public side of a gateway: its endpoints, one method each.

use std::net::SocketAddr;

use serde_json::{Value, json};
use shared::{Cursor, EventFrame};

use super::{Client, Request, Response, Token, document, eventually};

/// Where a gateway's clients and services go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    pub(crate) public: SocketAddr,
}

impl Api {
    pub(crate) fn at(public: SocketAddr) -> Self {
        Self { public }
    }

    /// Sends a request to the public listener. Whatever it answers must be in `docs/openapi.json`.
    pub(crate) async fn send(&self, request: Request) -> Response {
        let response = request.send(self.public).await;
        document::expect_in(&request.method, &request.path, &response);
        response
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        self.send(Request::get(path).bearer(token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        self.send(Request::new("POST", path).bearer(token).json(body)).await
    }

    /// Tries to open a WebSocket with this token in the header; says what the gateway answers.
    pub(crate) async fn knock(&self, token: &str) -> Response {
        self.send(Request::upgrade("/v1/ws").bearer(token)).await
    }

    /// Opens a session.
    pub(crate) async fn connect(&self, token: &str) -> Client {
        self.open("/v1/ws", token).await
    }

    /// Opens a session that goes on from a cursor.
    pub(crate) async fn connect_from(&self, token: &str, cursor: Cursor) -> Client {
        self.open(&format!("/v1/ws?lastEventId={cursor}"), token).await
    }

    /// Opens a session with a query of the test's own.
    pub(crate) async fn open(&self, path: &str, token: &str) -> Client {
        Client::open(self.public, path, &[("Authorization", &format!("Bearer {token}"))]).await
    }

    /// Publishes with a token for every company.
    pub(crate) async fn try_publish(&self, body: &Value) -> Response {
        self.post("/v1/events", &Token::service("*").sign(), body).await
    }

    /// Publishes one event or several, which must succeed; their cursors and whether they were known already.
    pub(crate) async fn publish_all(&self, body: &Value) -> Vec<(Cursor, bool)> {
        let answer = self.try_publish(body).await.json();
        let results = answer["results"].as_array().unwrap_or_else(|| panic!("no results: {answer}"));
        let result = |result: &Value| {
            let id = result["id"].as_str().unwrap_or_else(|| panic!("no id: {answer}"));
            (id.parse().unwrap(), result["duplicate"].as_bool().unwrap_or_else(|| panic!("no duplicate: {answer}")))
        };
        results.iter().map(result).collect()
    }

    /// Publishes one event.
    pub(crate) async fn publish(&self, event: &Value) -> Cursor {
        let results = self.publish_all(event).await;
        assert_eq!(results.len(), 1);
        results[0].0
    }

    /// Publishes one event of `acme` as soon as the gateway can: it may know that Redis is back a moment before it can
    /// write.
    pub(crate) async fn publish_when_possible(&self, number: u64) -> Cursor {
        let mut body = event("acme", "devis:signed", number);
        body["eventId"] = json!(format!("number-{number}"));
        eventually("a publish", async || match self.try_publish(&body).await {
            response if response.status == 200 => {
                Ok(response.json()["results"][0]["id"].as_str().unwrap().parse().unwrap())
            }
            response => Err(response.body),
        })
        .await
    }

    /// Publishes `devis:signed` events numbered by `numbers`, a hundred at a time; their cursors.
    pub(crate) async fn publish_numbered(&self, company: &str, numbers: std::ops::Range<u64>) -> Vec<Cursor> {
        let events: Vec<Value> = numbers.map(|number| event(company, "devis:signed", number)).collect();
        let mut cursors = Vec::new();
        for batch in events.chunks(100) {
            cursors.extend(self.publish_all(&json!(batch)).await.into_iter().map(|(cursor, _)| cursor));
        }
        cursors
    }
}

/// An event as a service posts it, with a number to know it again by.
pub(crate) fn event(company: &str, event_type: &str, number: u64) -> Value {
    json!({ "companyId": company, "type": event_type, "data": { "n": number } })
}

/// The number of an event made by [`event`].
pub(crate) fn n(event: &EventFrame) -> u64 {
    event.data["n"].as_u64().unwrap_or_else(|| panic!("no number: {event:?}"))
}
