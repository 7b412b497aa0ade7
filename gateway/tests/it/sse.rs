//! `GET /v1/sse`: the frames of a session as an event stream, for networks that let no WebSocket through.

use serde_json::json;
use shared::{Cursor, DeliveryState, Resume, ServerFrame};

use crate::support::{Backplane, Launch, Message, Redis, Request, Stream, Token, event, n, on_both_backplanes};

on_both_backplanes![
    a_stream_brings_the_welcome_and_then_each_event_under_its_id,
    an_event_is_one_message_whatever_is_in_it,
    heartbeats_carry_no_id,
    the_header_of_a_reconnecting_browser_goes_before_the_query,
    a_stream_that_comes_back_gets_exactly_what_it_missed,
    a_stream_whose_cursor_is_gone_is_lost_once,
    a_stream_receives_what_its_token_and_its_wish_allow,
    a_request_that_may_not_listen_is_refused,
];

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

fn stream_at(query: &str, header: Cursor) -> Request {
    Request::get(&format!("/v1/sse?{query}")).bearer(&anna()).header("Last-Event-ID", &header.to_string())
}

async fn a_stream_brings_the_welcome_and_then_each_event_under_its_id(backplane: Backplane) {
    let site = backplane.start().await;
    let mut stream = site.stream(&anna()).await;

    let cursors = site.publish_numbered("acme", 0..150).await;

    assert_eq!((stream.company_id.as_str(), stream.resume), ("acme", Resume::Fresh));
    assert_eq!((stream.heartbeat_ms, stream.welcome_id), (25_000, Some(stream.last_event_id)));
    assert!((100..=10_000).contains(&stream.retry_ms), "{}", stream.retry_ms);
    assert!(stream.head.header("cache-control").is_some_and(|value| value.contains("no-store")), "{:?}", stream.head);
    let events = stream.events(150).await;
    assert_eq!(events.iter().map(n).collect::<Vec<_>>(), (0..150).collect::<Vec<_>>());
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), cursors);
}

async fn an_event_is_one_message_whatever_is_in_it(backplane: Backplane) {
    let site = backplane.start().await;
    let mut stream = site.stream(&anna()).await;
    let texts =
        ["\n\n", "\r\n\r\ndata: x\n\n", "id: 9-9\nevent: welcome\n", "\u{2028}\u{85}\0é🦀", &"ü".repeat(30_000)];

    for text in texts {
        let data = json!({ "text": text });
        site.publish(&json!({ "companyId": "acme", "type": "devis:signed", "data": data })).await;
        assert_eq!(stream.event().await.data, data);
    }
}

async fn heartbeats_carry_no_id(backplane: Backplane) {
    let site = backplane.start_with(Launch::new().set("GATEWAY_HEARTBEAT_SECS", "1")).await;
    let mut stream = site.stream(&anna()).await;
    let heartbeat = Message { id: None, name: "heartbeat".to_owned(), frame: ServerFrame::Heartbeat {} };

    assert_eq!(stream.heartbeat_ms, 1_000);
    for number in 0..2 {
        assert_eq!(stream.message().await, Some(heartbeat.clone()));
        site.publish(&event("acme", "devis:signed", number)).await;
        assert_eq!(n(&stream.event().await), number);
    }
}

async fn the_header_of_a_reconnecting_browser_goes_before_the_query(backplane: Backplane) {
    let site = backplane.start().await;
    let cursors = site.publish_numbered("acme", 0..10).await;

    // A browser repeats the address that the page gave it, however old the cursor in it is.
    for in_query in [cursors[0], cursors[8], Cursor { epoch: 1, seq: 1 }] {
        let request = stream_at(&format!("lastEventId={in_query}"), cursors[3]);
        let mut stream = Stream::open(&site, request).await;
        assert_eq!((stream.resume, stream.last_event_id), (Resume::Recovered, cursors[3]), "{in_query}");
        assert_eq!(stream.welcome_id, Some(cursors[3]));
        assert_eq!(stream.events(6).await.iter().map(n).collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9]);
    }
    let query_alone = Request::get(&format!("/v1/sse?lastEventId={}", cursors[8])).bearer(&anna());
    assert_eq!(n(&Stream::open(&site, query_alone).await.event().await), 9);
    let good_query = format!("/v1/sse?lastEventId={}", cursors[8]);
    let bad_header = Request::get(&good_query).bearer(&anna()).header("Last-Event-ID", "nine");
    site.send(bad_header).await.expect_problem(400, "invalid_cursor");
}

async fn a_stream_that_comes_back_gets_exactly_what_it_missed(backplane: Backplane) {
    let site = backplane.start().await;
    let mut stream = site.stream(&anna()).await;
    let start = stream.last_event_id;
    site.publish_numbered("acme", 0..5).await;
    let seen = stream.events(5).await[4].id;

    drop(stream);
    site.publish_numbered("acme", 5..155).await;
    let mut stream = site.stream_from(&anna(), seen).await;
    let mut from_start = site.stream_from(&anna(), start).await;
    site.publish_numbered("acme", 155..160).await;

    assert_eq!((stream.resume, stream.last_event_id), (Resume::Recovered, seen));
    assert_eq!(stream.events(155).await.iter().map(n).collect::<Vec<_>>(), (5..160).collect::<Vec<_>>());
    // An empty log's cursor is the second, which may have passed.
    let place = from_start.last_event_id;
    assert!(from_start.resume == Resume::Recovered && place.seq == 0 && place >= start, "{place} after {start}");
    assert_eq!(from_start.events(160).await.iter().map(n).collect::<Vec<_>>(), (0..160).collect::<Vec<_>>());
}

async fn a_stream_whose_cursor_is_gone_is_lost_once(backplane: Backplane) {
    let site = backplane.start().await;
    let cursors = site.publish_numbered("acme", 0..1_400).await;
    let newest = cursors[1_399];

    for gone in [cursors[0], Cursor { epoch: 1, ..newest }, Cursor { seq: 5_000, ..newest }] {
        let stream = site.stream_from(&anna(), gone).await;
        assert_eq!((stream.resume, stream.last_event_id), (Resume::Lost, newest), "{gone}");
        assert_eq!(stream.welcome_id, Some(newest), "{gone}");
    }
    let mut lost = site.stream_from(&anna(), cursors[0]).await;
    let mut again = site.stream_from(&anna(), lost.last_event_id).await;
    assert_eq!((again.resume, again.last_event_id), (Resume::Recovered, newest));
    site.publish_numbered("acme", 1_400..1_401).await;
    assert_eq!((n(&lost.event().await), n(&again.event().await)), (1_400, 1_400));
}

async fn a_stream_receives_what_its_token_and_its_wish_allow(backplane: Backplane) {
    let site = backplane.start().await;
    let bounded = Token::user("acme", "anna").claim("events", json!(["facture:*", "message:received"])).sign();
    let mut all = site.stream(&anna()).await;
    let mut wish = Stream::open(&site, Request::get("/v1/sse?types=devis:*").bearer(&anna())).await;
    let mut claim = site.stream(&bounded).await;
    let request = Request::get("/v1/sse?types=devis:*,facture:paid").bearer(&bounded);
    let mut both = Stream::open(&site, request).await;
    let start = all.last_event_id;

    let types = ["devis:created", "devis:signed", "facture:created", "facture:paid", "message:received"];
    let events: Vec<_> = (0..).zip(types).map(|(number, name)| event("acme", name, number)).collect();
    for _ in 0..2 {
        site.publish_all(&json!(events)).await;
    }
    site.publish_numbered("other", 90..95).await;

    assert_eq!(all.events(10).await.iter().map(n).collect::<Vec<_>>(), [0, 1, 2, 3, 4].repeat(2));
    assert_eq!(wish.events(4).await.iter().map(n).collect::<Vec<_>>(), [0, 1, 0, 1]);
    assert_eq!(claim.events(6).await.iter().map(n).collect::<Vec<_>>(), [2, 3, 4, 2, 3, 4]);
    assert_eq!(both.events(2).await.iter().map(n).collect::<Vec<_>>(), [3, 3]);
    let mut recovered = site.stream_from(&bounded, start).await;
    assert_eq!(recovered.events(6).await.iter().map(n).collect::<Vec<_>>(), [2, 3, 4, 2, 3, 4]);
}

async fn a_request_that_may_not_listen_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    let get = |path: &str| Request::get(path).bearer(&anna());

    site.send(Request::get("/v1/sse")).await.expect_problem(401, "unauthorized");
    site.get("/v1/sse", "no.token.here").await.expect_problem(401, "unauthorized");
    site.get("/v1/sse", &Token::user("acme", "anna").expires_in(-60).sign()).await.expect_problem(401, "unauthorized");
    site.send(Request::get(&format!("/v1/sse?token={}", anna()))).await.expect_problem(401, "unauthorized");
    site.get("/v1/sse", &Token::service("*").sign()).await.expect_problem(403, "forbidden");
    site.send(get("/v1/sse").header("Origin", "https://evil.example")).await.expect_problem(403, "origin_not_allowed");
    site.send(get("/v1/sse?lastEventId=x")).await.expect_problem(400, "invalid_cursor");
    site.send(get("/v1/sse?types=devis")).await.expect_problem(400, "invalid_types");
    site.send(get("/v1/sse").method("POST").body("")).await.expect_problem(405, "method_not_allowed");
    site.metric_becomes("gateway_connections{state=\"active\"}", 0.0).await;
}

#[tokio::test]
async fn a_stream_that_is_opened_during_an_outage_is_caught_up_after_it() {
    let mut redis = Redis::durable().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut witness = gateway.connect(&Token::user("other", "bruno").sign()).await;
    let cursors = gateway.publish_numbered("acme", 0..10).await;

    redis.kill();
    witness.expect_status(DeliveryState::Degraded).await;
    let mut stream = gateway.stream_from(&anna(), cursors[3]).await;
    assert_eq!(stream.next().await.frame, ServerFrame::Status { delivery: DeliveryState::Degraded });
    redis.launch().await;

    let mut numbers = vec![];
    while numbers.len() < 6 {
        match stream.next().await.frame {
            ServerFrame::Event(event) => numbers.push(n(&event)),
            ServerFrame::Status { delivery: DeliveryState::Live } => {}
            other => panic!("{other:?} after {numbers:?}"),
        }
    }
    assert_eq!(numbers, [4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn a_welcome_during_an_outage_claims_no_other_place_by_its_id() {
    let redis = Redis::absent();
    let gateway = Launch::new().redis(&redis).start().await;

    let fresh = gateway.stream(&anna()).await;
    assert_eq!((fresh.resume, fresh.last_event_id), (Resume::Fresh, Cursor::EMPTY));
    assert_eq!(fresh.welcome_id, Some(fresh.last_event_id));
    let brought = Cursor { epoch: 1_763_800_000_000, seq: 7 };
    let back = gateway.stream_from(&anna(), brought).await;
    assert_eq!((back.last_event_id, back.welcome_id), (brought, Some(brought)));
}
