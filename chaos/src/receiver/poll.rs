//! Listening by long polls, each of which may reach another gateway.

use std::time::Duration;

use serde::Deserialize;
use shared::{Cursor, EventFrame, Resume};
use tokio::{sync::watch, time::timeout};

use super::{Order, Plan, Session};
use crate::defaults::{OPEN_TIMEOUT, POLL_WAIT_SECS};

/// The answer to a poll.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    resume: Resume,
    events: Vec<EventFrame>,
    last_event_id: Cursor,
}

pub(super) async fn listen(
    session: &mut Session,
    plan: &Plan,
    http: &reqwest::Client,
    mut orders: watch::Receiver<Order>,
) -> Option<Duration> {
    loop {
        if orders.wait_for(|order| *order != Order::Stall).await.is_err() {
            return None;
        }
        let answer = timeout(OPEN_TIMEOUT + Duration::from_secs(POLL_WAIT_SECS), poll(session, plan, http)).await;
        session.polled(answer.ok()?.ok()?);
    }
}

async fn poll(session: &Session, plan: &Plan, http: &reqwest::Client) -> reqwest::Result<Answer> {
    // The first one asks only where the log ends.
    let query = match session.cursor() {
        Some(cursor) => format!("wait={POLL_WAIT_SECS}&lastEventId={cursor}"),
        None => "wait=0".to_owned(),
    };
    let url = format!("http://{}/v1/poll?{query}", plan.address);
    http.get(url).bearer_auth(&plan.token).send().await?.error_for_status()?.json().await
}

impl Session {
    /// A poll was answered. `lastEventId` is where the list ends; where it began is told by the first event alone.
    fn polled(&mut self, answer: Answer) {
        let begins_at = answer.events.first().map_or(answer.last_event_id, |first| first.id.before());
        match answer.resume {
            Resume::Recovered => self.welcome(Resume::Recovered, self.cursor().unwrap_or(begins_at)),
            told => self.welcome(told, begins_at),
        }
        for event in answer.events {
            self.event(event);
        }
        self.stand_at(answer.last_event_id);
    }
}
