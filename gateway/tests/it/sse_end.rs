//! How an event stream ends: it has no close codes, so the last frame says why.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{Resume, ServerFrame};
use tokio::time::Instant;

use crate::support::{Backplane, Launch, RawSession, Request, Site, Stream, Token, n, on_both_backplanes};

on_both_backplanes![
    an_expired_token_ends_the_stream,
    a_replica_that_goes_away_asks_its_streams_to_reconnect,
    a_stream_that_stalls_is_ended_and_resumes,
    the_gauge_counts_streams_until_their_clients_go,
    a_poll_whose_client_has_gone_gives_its_place_back,
];

const ACTIVE: &str = "gateway_connections{state=\"active\"}";

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

async fn an_expired_token_ends_the_stream(backplane: Backplane) {
    let site = backplane.start().await;
    // Two seconds of the leeway are left to it.
    let mut short = site.stream(&Token::user("acme", "anna").expires_in(-3).sign()).await;
    let mut long = site.stream(&anna()).await;
    site.publish_numbered("acme", 0..1).await;

    assert_eq!(n(&short.event().await), 0);
    assert_eq!(short.expect_error_and_end().await, "token_expired");
    site.metric_becomes(ACTIVE, 1.0).await;
    site.publish_numbered("acme", 1..2).await;
    assert_eq!(long.events(2).await.iter().map(n).collect::<Vec<_>>(), [0, 1]);
}

async fn a_replica_that_goes_away_asks_its_streams_to_reconnect(backplane: Backplane) {
    let mut site = backplane.start_with(Launch::new().set("GATEWAY_DRAIN_SECS", "3")).await;
    let mut streams = vec![];
    for company in ["acme", "bati", "acme"] {
        streams.push(site.stream(&Token::user(company, "anna").sign()).await);
    }
    let stalled = Stream::open_narrow(&site, Request::get("/v1/sse").bearer(&anna())).await;
    let started = Instant::now();

    site.gateway.terminate();

    for stream in &mut streams {
        let ServerFrame::Reconnect { reason, .. } = stream.next().await.frame else { panic!("no reconnect") };
        assert!(!reason.is_empty());
        stream.expect_end().await;
    }
    assert_eq!(site.gateway.exit().await.code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(6), "it took {:?}", started.elapsed());
    drop(stalled);
}

/// 200 events of 60 KB are 12 MB: far more than a socket's buffers and the gateway's 1 MiB hold.
const EVENTS: u64 = 200;
const STALLED: usize = 8;
/// The log of the embedded backplane is 12 MB; the rest is slack for allocators and for what is on its way.
const GROWTH: u64 = 60 * 1024 * 1024;

fn big(number: u64) -> Value {
    json!({ "companyId": "acme", "type": "devis:signed", "data": { "n": number, "text": "x".repeat(60_000) } })
}

async fn a_stream_that_stalls_is_ended_and_resumes(backplane: Backplane) {
    let site = backplane.start().await;
    let mut reader = site.stream(&anna()).await;
    let mut stalled = vec![];
    for _ in 0..STALLED {
        stalled.push(Stream::open_narrow(&site, Request::get("/v1/sse").bearer(&anna())).await);
    }
    let before = site.resident_bytes();

    for number in 0..EVENTS {
        site.publish(&big(number)).await;
        assert_eq!(n(&reader.event().await), number);
    }

    let growth = site.resident_bytes().saturating_sub(before);
    assert!(growth < GROWTH, "it grew by {growth} bytes");
    for stream in &mut stalled {
        let received = expect_slow(stream).await;
        let mut back = site.stream_from(&anna(), stream.last_event_id).await;
        assert_eq!(back.resume, Resume::Recovered);
        for number in received..EVENTS {
            assert_eq!(n(&back.event().await), number);
        }
    }
    drop(stalled);
    site.metric_becomes(ACTIVE, 1.0).await;
    reader_goes_on(&site, &mut reader).await;
}

/// The stream has a part of the events, whole and from the first on, and then the reason of its end. How many they
/// were; its place is noted in the stream as a browser does.
async fn expect_slow(stream: &mut Stream) -> u64 {
    let mut received = 0;
    loop {
        match stream.next().await.frame {
            ServerFrame::Event(event) => {
                assert_eq!(n(&event), received);
                (stream.last_event_id, received) = (event.id, received + 1);
            }
            ServerFrame::Error { code, .. } => {
                assert_eq!(code, "slow_consumer");
                assert!(received < EVENTS, "it was ended although it had received everything");
                stream.expect_end().await;
                return received;
            }
            other => panic!("{other:?} after {received} events"),
        }
    }
}

async fn reader_goes_on(site: &Site, reader: &mut Stream) {
    site.publish(&big(EVENTS)).await;
    assert_eq!(n(&reader.event().await), EVENTS);
}

async fn the_gauge_counts_streams_until_their_clients_go(backplane: Backplane) {
    let site = backplane.start().await;
    let mut streams = vec![];
    for company in ["acme", "acme", "bati", "other"] {
        streams.push(site.stream(&Token::user(company, "anna").sign()).await);
    }
    let socket = site.connect(&anna()).await;
    site.metric_becomes(ACTIVE, 5.0).await;
    site.get("/v1/sse", "refused").await.expect_problem(401, "unauthorized");

    streams.truncate(1);
    site.metric_becomes(ACTIVE, 2.0).await;
    socket.close().await;
    site.metric_becomes(ACTIVE, 1.0).await;
    drop(streams);
    site.metric_becomes(ACTIVE, 0.0).await;
}

async fn a_poll_whose_client_has_gone_gives_its_place_back(backplane: Backplane) {
    let site = backplane.start().await;
    let place = site.poll_fresh(&anna()).await;
    let request = Request::get(&format!("/v1/poll?wait=55&lastEventId={place}")).bearer(&anna());
    let mut polls = vec![];
    for _ in 0..3 {
        let mut poll = RawSession::silent(&site).await;
        poll.send(&request.encode(site.public)).await;
        polls.push(poll);
    }
    site.metric_becomes(ACTIVE, 3.0).await;

    drop(polls);
    site.metric_becomes(ACTIVE, 0.0).await;
}

#[tokio::test]
async fn beyond_the_cap_streams_and_polls_are_refused() {
    let gateway = Launch::new().set("GATEWAY_MAX_CONNECTIONS", "1").start().await;
    let stream = gateway.stream(&anna()).await;

    for path in ["/v1/sse", "/v1/poll", "/v1/poll?wait=0"] {
        let refused = gateway.get(path, &anna()).await;
        refused.expect_problem(503, "overloaded");
        let retry_after = refused.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
        assert!(retry_after.is_some_and(|seconds| seconds > 0), "{refused:?}");
    }
    gateway.knock(&anna()).await.expect_problem(503, "overloaded");
    assert_eq!(gateway.admin_get("/readyz").await.status, 503);

    drop(stream);
    gateway.metric_becomes(ACTIVE, 0.0).await;
    gateway.poll_fresh(&anna()).await;
    gateway.stream(&anna()).await;
}
