//! Long polls: one request, one answer, and the cursor for the next.

use std::time::Duration;

use serde_json::Value;
use shared::{Cursor, EventFrame, Resume};
use tokio::time::Instant;

use super::{Api, Response, n};

/// The answer to a poll.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Polled {
    pub(crate) resume: Resume,
    pub(crate) events: Vec<EventFrame>,
    pub(crate) last_event_id: Cursor,
}

impl Polled {
    /// Reads an answer that must be a success.
    pub(crate) fn of(response: &Response) -> Self {
        let body = response.json();
        let events = body["events"].as_array().unwrap_or_else(|| panic!("no events: {body}"));
        let event = |event: &Value| {
            assert_eq!(event["frame"], "event");
            serde_json::from_value(event.clone()).unwrap()
        };
        Self {
            resume: serde_json::from_value(body["resume"].clone()).unwrap(),
            events: events.iter().map(event).collect(),
            last_event_id: body["lastEventId"].as_str().unwrap_or_else(|| panic!("no cursor: {body}")).parse().unwrap(),
        }
    }

    /// The numbers of its events.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.events.iter().map(n).collect()
    }
}

impl Api {
    /// Polls with a query of the test's own.
    pub(crate) async fn poll(&self, query: &str, token: &str) -> Polled {
        Polled::of(&self.get(&format!("/v1/poll?{query}"), token).await)
    }

    /// Polls after a cursor without waiting.
    pub(crate) async fn poll_now(&self, cursor: Cursor, token: &str) -> Polled {
        self.poll(&format!("lastEventId={cursor}&wait=0"), token).await
    }

    /// A place to go on from: that of a poll without a cursor.
    pub(crate) async fn poll_fresh(&self, token: &str) -> Cursor {
        let fresh = self.poll("wait=0", token).await;
        assert_eq!((fresh.resume, fresh.events.len()), (Resume::Fresh, 0));
        fresh.last_event_id
    }
}

/// What something gave, and how long it took.
pub(crate) async fn timed<T>(what: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    (what.await, started.elapsed())
}
