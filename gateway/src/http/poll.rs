//! `GET /v1/poll`: the same sequence by long polling. Stateless: the cursor is all, any replica answers any poll.

use std::{future::poll_fn, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web::Query,
};
use serde::Deserialize;
use shared::{Cursor, DeliveryState, Resume};
use tokio::time::{Instant, sleep, timeout_at};
use utoipa::IntoParams;

use super::{
    Listener, Problem, body,
    listen::Wishes,
    openapi::{BadQuery, Busy, Forbidden, TooManyConnections, Unauthorized},
    presence::Presence,
    worker_of,
};
use crate::{
    clock,
    defaults::{POLL_GRACE, POLL_WAIT_SECS},
    health::NotReady,
    session::{Control, Item, Sink},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wait {
    /// How many seconds to wait for something new, 25 unless it is said.
    #[param(minimum = 0, maximum = 55)]
    wait: Option<u64>,
}

/// Wait for what comes after a cursor
///
/// Answers at once when there is something, else after `wait` seconds with an empty list. Stateless: any replica answers any
/// poll. Without a cursor it says where to begin.
#[utoipa::path(
    get, path = "/v1/poll", operation_id = "poll", tag = "listening", security(("bearer" = [])), params(Wishes, Wait),
    responses(
        (status = 200, description = "What came after the cursor.", content_type = "application/json",
            body = ref("#/components/schemas/PollAnswer")),
        (status = 400, response = BadQuery),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 429, response = TooManyConnections),
        (status = 503, response = Busy),
    ),
)]
pub(super) async fn poll(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let worker = worker_of(&request);
    worker.app.check_origin(request.headers())?;
    worker.app.knock()?;
    let listener = Listener::of(&worker.app, request.headers(), request.query_string()).await?;
    let wait = Query::<Wait>::from_query(request.query_string())
        .map_err(|_| Problem::bad_request("bad_request", "wait: expected a number of seconds"))?
        .wait
        .unwrap_or(POLL_WAIT_SECS.0);
    if wait > POLL_WAIT_SECS.1 {
        return Err(Problem::bad_request("bad_request", &format!("wait: at most {} seconds", POLL_WAIT_SECS.1)));
    }
    let presence = Presence::enter(worker, Sink::Poll(Box::default()), listener).await?;
    let (start, wait) = (Instant::now(), Duration::from_secs(wait));
    let mut answer = Answer::default();
    while !answer.is_complete() {
        // Where it stands takes as long as reading the log, however short the wait; the rest is waiting for news.
        let grace = if answer.resume.is_none() && !answer.deferred { POLL_GRACE } else { Duration::ZERO };
        match timeout_at(start + wait.max(grace), next(&presence)).await {
            Ok(Some(item)) => {
                answer.take(item);
                while let Ok(Some(item)) = timeout_at(start, next(&presence)).await {
                    answer.take(item);
                }
            }
            Ok(None) | Err(_) if answer.resume.is_some() || presence.withheld().is_some() => break,
            Ok(None) if worker.app.health.is_draining() => return Err(Problem::not_ready(NotReady::Draining)),
            Ok(None) | Err(_) => return Err(Problem::unavailable("the log cannot be reached at present")),
        }
    }
    // An empty log's cursor is a second rounded down. Told in the second in which a log went, it would be told `lost` again.
    if answer.resume == Some(Resume::Lost) && presence.feed().position() == Some(Cursor::EMPTY) {
        sleep(Duration::from_millis(1_250 - clock::unix_millis() % 1_000)).await;
        while let Ok(Some(item)) = timeout_at(start, next(&presence)).await {
            answer.take(item);
        }
    }
    // The next poll may reach a replica that still hears the old master, and would give again what this one says is lost.
    if answer.resume == Some(Resume::Lost) && worker.app.health.is_failing_over() {
        return Err(Problem::unavailable("Redis has failed over; not every replica may know yet"));
    }
    // Some of it may not have been handed over, and the cursor would pass it.
    if let Some(reason) = presence.withheld() {
        return Err(reason.into());
    }
    Ok(answer.respond(presence.feed().position()))
}

async fn next(presence: &Presence) -> Option<Item> {
    poll_fn(|cx| presence.poll_next(cx)).await
}

/// What a poll has found so far.
#[derive(Default)]
struct Answer {
    /// What became of the cursor, once that is known.
    resume: Option<Resume>,
    /// It is not known before the backplane is back.
    deferred: bool,
    /// Events come late, so that there may be more than is known here.
    degraded: bool,
    events: Vec<Item>,
}

impl Answer {
    fn take(&mut self, item: Item) {
        match item {
            Item::Event(event) => {
                self.resume.get_or_insert(Resume::Recovered);
                self.events.push(Item::Event(event));
            }
            Item::Control(Control::Welcome { resume, deferred: false, .. }, _) => self.resume = Some(resume),
            Item::Control(Control::Resync(_), _) => {
                self.resume = Some(Resume::Lost);
                self.events.clear();
            }
            Item::Control(Control::Welcome { .. }, _) => self.deferred = true,
            Item::Control(Control::Status(DeliveryState::Degraded), _) => self.degraded = true,
            // After a welcome for the time being, either of these says that it has been let in.
            Item::Control(Control::Status(DeliveryState::Live), _) => {
                self.degraded = false;
                self.resume.get_or_insert(Resume::Recovered);
            }
            Item::Control(..) => {}
        }
    }

    /// There is news, which is what a poll waits for.
    fn is_complete(&self) -> bool {
        !self.events.is_empty() || self.resume == Some(Resume::Lost)
    }

    /// Events that the filter kept back count as seen: the cursor passes them.
    fn respond(self, position: Option<Cursor>) -> HttpResponse {
        let last = clock::outward(position.unwrap_or(Cursor::EMPTY));
        let resume = match self.resume {
            Some(Resume::Fresh) => "fresh",
            Some(Resume::Lost) => "lost",
            Some(Resume::Recovered) | None => "recovered",
        };
        let delivery = if self.degraded { "\"delivery\":\"degraded\"," } else { "" };
        HttpResponse::Ok().insert_header(ContentType::json()).insert_header((CACHE_CONTROL, "no-store")).body(body(
            &format!("\"resume\":\"{resume}\",{delivery}"),
            self.events.iter().map(Item::frame),
            last,
        ))
    }
}
