//! `GET /v1/poll`: the same sequence by long polling; the cursor is all that a client needs to bring.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{Cursor, Resume};

use crate::support::{
    Api, Backplane, Launch, Polled, Redis, Request, Site, Token, event, eventually, on_both_backplanes, timed,
};

on_both_backplanes![
    a_poll_without_a_cursor_answers_with_a_place_to_go_on_from,
    a_poll_answers_at_once_when_there_is_something,
    a_poll_waits_for_news,
    a_poll_answers_with_nothing_when_it_has_waited,
    a_poll_whose_cursor_is_gone_is_lost_once,
    a_poll_receives_what_its_token_and_its_wish_allow,
    what_a_filter_keeps_back_counts_as_seen,
    a_flood_while_a_poll_waits_loses_nothing,
    a_request_that_may_not_poll_is_refused,
    a_replica_that_goes_away_answers_its_polls,
];

const ACTIVE: &str = "gateway_connections{state=\"active\"}";
/// What needs no waiting is answered in this time, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(2);

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

async fn a_poll_without_a_cursor_answers_with_a_place_to_go_on_from(backplane: Backplane) {
    let site = backplane.start().await;

    let (empty, took) = timed(site.poll_fresh(&anna())).await;
    assert!(took < AT_ONCE, "it took {took:?}");
    let cursors = site.publish_numbered("acme", 0..3).await;
    let first = site.poll_now(empty, &anna()).await;
    assert_eq!((first.resume, first.numbers(), first.last_event_id), (Resume::Recovered, vec![0, 1, 2], cursors[2]));

    let place = site.poll_fresh(&anna()).await;
    assert_eq!(place, cursors[2], "a log with events answers with the place of its newest");
    assert_eq!(site.poll_now(place, &anna()).await, Polled { events: vec![], ..first });
}

async fn a_poll_answers_at_once_when_there_is_something(backplane: Backplane) {
    let site = backplane.start().await;
    let cursors = site.publish_numbered("acme", 0..160).await;

    let query = format!("lastEventId={}&wait=55", cursors[2]);
    let (answer, took) = timed(site.poll(&query, &anna())).await;

    assert!(took < AT_ONCE, "it took {took:?}");
    assert_eq!((answer.resume, answer.last_event_id), (Resume::Recovered, cursors[159]));
    assert_eq!(answer.numbers(), (3..160).collect::<Vec<_>>());
    assert_eq!(answer.events.iter().map(|event| event.id).collect::<Vec<_>>(), cursors[3..]);
}

/// A poll with this query that waits: nothing was there for it.
async fn waiting(site: &Site, query: &str) -> tokio::task::JoinHandle<Polled> {
    let (api, query) = (***site, query.to_owned());
    let poll = tokio::spawn(async move { Api::poll(&api, &query, &anna()).await });
    site.metric_becomes(ACTIVE, 1.0).await;
    poll
}

async fn a_poll_waits_for_news(backplane: Backplane) {
    let site = backplane.start().await;
    let mut place = site.poll_fresh(&anna()).await;
    for number in 0..3 {
        let poll = waiting(&site, &format!("lastEventId={place}&wait=9")).await;
        site.publish(&event("other", "devis:signed", 99)).await;
        let id = site.publish(&event("acme", "devis:signed", number)).await;

        let (answer, took) = timed(poll).await;
        let answer = answer.unwrap();
        assert!(took < AT_ONCE, "it took {took:?}");
        assert_eq!((answer.resume, answer.numbers(), answer.last_event_id), (Resume::Recovered, vec![number], id));
        site.metric_becomes(ACTIVE, 0.0).await;
        place = answer.last_event_id;
    }
    let fresh = waiting(&site, "wait=9").await;
    site.publish(&event("acme", "devis:signed", 3)).await;
    assert_eq!(fresh.await.unwrap().numbers(), [3]);
}

async fn a_poll_answers_with_nothing_when_it_has_waited(backplane: Backplane) {
    let site = backplane.start().await;
    let place = *site.publish_numbered("acme", 0..2).await.last().unwrap();

    let (answer, took) = timed(site.poll(&format!("lastEventId={place}&wait=1"), &anna())).await;

    assert!(took >= Duration::from_secs(1) && took < AT_ONCE + Duration::from_secs(1), "it took {took:?}");
    assert_eq!(answer, Polled { resume: Resume::Recovered, events: vec![], last_event_id: place });
}

async fn a_poll_whose_cursor_is_gone_is_lost_once(backplane: Backplane) {
    let site = backplane.start().await;
    let cursors = site.publish_numbered("acme", 0..1_400).await;
    let newest = cursors[1_399];

    for gone in [cursors[0], Cursor { epoch: 1, seq: 1 }, Cursor { seq: 5_000, ..newest }] {
        let (answer, took) = timed(site.poll(&format!("lastEventId={gone}&wait=9"), &anna())).await;
        assert!(took < AT_ONCE, "it took {took:?}");
        assert_eq!(answer, Polled { resume: Resume::Lost, events: vec![], last_event_id: newest }, "{gone}");
    }
    assert_eq!(site.poll_now(newest, &anna()).await.resume, Resume::Recovered, "lost is said once");
}

async fn a_poll_receives_what_its_token_and_its_wish_allow(backplane: Backplane) {
    let site = backplane.start().await;
    let bounded = Token::user("acme", "anna").claim("events", json!(["facture:*"])).sign();
    let start = site.poll_fresh(&anna()).await;
    let types = ["devis:created", "devis:signed", "facture:created", "facture:paid", "message:received"];
    let events: Vec<_> = (0..).zip(types).map(|(number, name)| event("acme", name, number)).collect();
    let last = site.publish_all(&json!(events)).await[4].0;

    let expected: [(&str, &str, &[u64]); 5] = [
        (&anna(), "*", &[0, 1, 2, 3, 4]),
        (&anna(), "devis:*,facture:paid", &[0, 1, 3]),
        (&bounded, "*", &[2, 3]),
        (&bounded, "devis:*,facture:paid", &[3]),
        (&bounded, "devis:*", &[]),
    ];
    for (token, types, numbers) in expected {
        let answer = site.poll(&format!("lastEventId={start}&types={types}&wait=0"), token).await;
        assert_eq!((answer.numbers().as_slice(), answer.last_event_id), (numbers, last), "{types}");
    }
}

async fn what_a_filter_keeps_back_counts_as_seen(backplane: Backplane) {
    let site = backplane.start().await;
    let start = site.publish_numbered("acme", 0..1).await[0];
    let query = |place: Cursor, wait: u8| format!("lastEventId={place}&types=facture:*&wait={wait}");
    let recovered = |place: Cursor| Polled { resume: Resume::Recovered, events: vec![], last_event_id: place };

    // One half passes between two polls, the other while one waits: more than the log holds.
    let half = *site.publish_numbered("acme", 1..700).await.last().unwrap();
    assert_eq!(site.poll(&query(start, 0), &anna()).await, recovered(half));
    let poll = waiting(&site, &query(half, 3)).await;
    let whole = *site.publish_numbered("acme", 700..1_400).await.last().unwrap();
    assert_eq!(poll.await.unwrap(), recovered(whole));

    assert_eq!(site.poll(&query(whole, 0), &anna()).await, recovered(whole));
    assert_eq!(site.poll(&query(start, 0), &anna()).await.resume, Resume::Lost, "else there was nothing to pass");
    site.publish(&event("acme", "facture:paid", 7)).await;
    assert_eq!(site.poll(&query(whole, 0), &anna()).await.numbers(), [7]);
}

async fn a_flood_while_a_poll_waits_loses_nothing(backplane: Backplane) {
    let site = backplane.start().await;
    let big = |number: u64| {
        let data = json!({ "n": number, "text": "x".repeat(60_000) });
        json!({ "companyId": "acme", "type": "devis:signed", "data": data })
    };
    let mut place = site.poll_fresh(&anna()).await;

    for start in [0, 100] {
        let poll = waiting(&site, &format!("lastEventId={place}&wait=9")).await;
        let batch: Vec<Value> = (start..start + 100).map(big).collect();
        let last = site.publish_all(&json!(batch)).await[99].0;
        let mut answer = poll.await.unwrap();
        let mut numbers = answer.numbers();
        while answer.last_event_id != last {
            answer = site.poll(&format!("lastEventId={}&wait=9", answer.last_event_id), &anna()).await;
            assert_eq!(answer.resume, Resume::Recovered);
            numbers.extend(answer.numbers());
        }
        assert_eq!(numbers, (start..start + 100).collect::<Vec<_>>());
        site.metric_becomes(ACTIVE, 0.0).await;
        place = last;
    }
}

async fn a_request_that_may_not_poll_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    site.publish_numbered("acme", 0..1).await;
    let get = |query: &str| Request::get(&format!("/v1/poll{query}")).bearer(&anna());

    site.send(Request::get("/v1/poll?wait=0")).await.expect_problem(401, "unauthorized");
    site.get("/v1/poll?wait=0", "no.token.here").await.expect_problem(401, "unauthorized");
    site.get("/v1/poll", &Token::service("*").sign()).await.expect_problem(403, "forbidden");
    site.send(get("").header("Origin", "https://evil.example")).await.expect_problem(403, "origin_not_allowed");
    site.send(get("").method("POST").body("")).await.expect_problem(405, "method_not_allowed");
    for wait in ["56", "1000000", "99999999999999999999", "-1", "x", "1.5", ""] {
        site.send(get(&format!("?wait={wait}"))).await.expect_problem(400, "bad_request");
    }
    for cursor in ["x", "12", "-", "1-", "-1", "1-x", "1-2-3", "1-18446744073709551616"] {
        site.send(get(&format!("?lastEventId={cursor}"))).await.expect_problem(400, "invalid_cursor");
    }
    site.send(get("?types=devis")).await.expect_problem(400, "invalid_types");
    assert_eq!(site.send(get("?wait=55&lastEventId=0-0")).await.status, 200, "the longest wait there may be");
}

async fn a_replica_that_goes_away_answers_its_polls(backplane: Backplane) {
    let mut site = backplane.start_with(Launch::new().set("GATEWAY_DRAIN_SECS", "3")).await;
    let place = site.publish_numbered("acme", 0..1).await[0];
    let poll = waiting(&site, &format!("lastEventId={place}&wait=9")).await;
    // Before it knows where it stands it has nothing to answer with.
    site.metric_becomes("gateway_resumes_total{outcome=\"recovered\"}", 1.0).await;

    site.gateway.terminate();

    let (answer, took) = timed(poll).await;
    assert!(took < AT_ONCE, "it took {took:?}");
    assert_eq!(answer.unwrap(), Polled { resume: Resume::Recovered, events: vec![], last_event_id: place });
    assert_eq!(site.gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_draining_replica_refuses_new_streams_and_polls() {
    let gateway = Launch::new().set("GATEWAY_DRAIN_SECS", "3").start().await;
    // It does not answer the close frame, so the drain goes on.
    let _mute = crate::support::RawSession::open(&gateway, &anna()).await;

    gateway.terminate();
    gateway.metric_becomes("gateway_connections{state=\"draining\"}", 1.0).await;

    for path in ["/v1/poll?wait=0", "/v1/poll", "/v1/sse"] {
        let refused = gateway.get(path, &anna()).await;
        refused.expect_problem(503, "draining");
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
    }
}

#[tokio::test]
async fn a_poll_while_redis_is_away_says_so() {
    let mut redis = Redis::absent();
    let gateway = Launch::new().redis(&redis).start().await;

    for query in ["wait=0", "wait=0&lastEventId=0-0", "wait=0&lastEventId=1763800000000-7", "wait=1"] {
        let (refused, took) = timed(gateway.get(&format!("/v1/poll?{query}"), &anna())).await;
        refused.expect_problem(503, "unavailable");
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
        assert!(took < AT_ONCE, "{query} took {took:?}");
    }
    redis.launch().await;
    gateway.publish_when_possible(0).await;
    // It can write a moment before it can listen.
    let answer = eventually("a poll", async || match gateway.get("/v1/poll?wait=0&lastEventId=0-0", &anna()).await {
        response if response.status == 200 => Ok(Polled::of(&response)),
        response => Err(response.problem_code()),
    });
    assert_eq!(answer.await.numbers(), [0]);
}
