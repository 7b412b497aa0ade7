//! What the gateway says of itself, and that it understands, and lets pass, what was written by others: earlier versions
//! and later ones.

use serde_json::{Value, json};
use shared::{CompanyId, Cursor, keys};

use crate::support::{Backplane, DOCUMENT, Launch, Opcode, RawSession, Request, Site, Token, event, n};

/// As version 0.1.0 wrote it into log and channel.
const RECORD: &str = include_str!("../../../shared/fixtures/v0.1.0/record.txt");

#[tokio::test]
async fn the_document_is_that_of_the_docs() {
    let printed = Launch::new().arguments(&["openapi"]).run().await;
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    assert!(printed.stdout == DOCUMENT.as_bytes(), "docs/openapi.json is not what the program says: run `make schema`");
}

#[tokio::test]
async fn the_document_is_served_to_everybody_and_may_be_kept() {
    let listed = "https://app.example.com";
    let gateway = Launch::new().set("GATEWAY_ALLOWED_ORIGINS", listed).start().await;
    let get = || Request::get("/v1/openapi.json");

    let served = gateway.send(get()).await;

    assert_eq!((served.status, served.header("content-type")), (200, Some("application/json")));
    assert!(served.body == DOCUMENT, "{}", served.body);
    assert_eq!(served.header("cache-control"), Some("public, max-age=3600"));
    let read_by_a_page = gateway.send(get().header("Origin", listed)).await;
    assert_eq!(read_by_a_page.header("access-control-allow-origin"), Some(listed));
    let strange = gateway.send(get().header("Origin", "https://evil.example")).await;
    strange.expect_problem(403, "origin_not_allowed");
}

#[tokio::test]
async fn methods_that_an_endpoint_has_not_are_told_those_that_it_has() {
    let gateway = Launch::new().start().await;
    let public = [
        ("/v1/ws", "GET"),
        ("/v1/sse", "GET"),
        ("/v1/poll", "GET"),
        ("/v1/events", "GET, POST"),
        ("/v1/openapi.json", "GET"),
    ];
    for (path, allowed) in public {
        let refused = gateway.send(Request::new("DELETE", path)).await;
        refused.expect_problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), Some(allowed), "{path}");
    }
    for (method, path, allowed) in [("GET", "/drain", "POST"), ("POST", "/livez", "GET"), ("POST", "/metrics", "GET")] {
        let refused = gateway.admin_send(&Request::new(method, path)).await;
        refused.expect_problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), Some(allowed), "{path}");
    }
}

/// Puts records into the log of `acme` and announces them, as a publisher of another version does.
async fn publish(site: &Site, records: &[(Cursor, String)]) {
    let redis = site.redis.as_ref().unwrap();
    let log = keys::log(&CompanyId::parse("acme").unwrap());
    for (id, record) in records {
        redis.command::<String>(&["XADD", &log, &id.to_string(), keys::LOG_FIELD, record]).await;
        redis.command::<u64>(&["PUBLISH", "company:acme", record]).await;
    }
}

#[tokio::test]
async fn records_of_the_first_version_are_delivered_from_log_and_channel() {
    let site = Backplane::Redis.start().await;
    let anna = Token::user("acme", "anna").sign();
    let mut live = site.connect(&anna).await;
    let record = RECORD.trim_end();
    let first: Cursor = "1763800000000-1".parse().unwrap();
    let records: Vec<_> = (1..=43)
        .map(|seq| Cursor { seq, ..first })
        .map(|id| (id, record.replace("1763800000000-43", &id.to_string())))
        .collect();

    publish(&site, &records).await;
    let mut resumed = site.connect_from(&anna, records[41].0).await;

    let whole: Value = serde_json::from_str(record.splitn(4, ' ').nth(3).unwrap()).unwrap();
    for event in [live.events(43).await.pop().unwrap(), resumed.event().await] {
        assert_eq!((event.id, &event.data), (records[42].0, &whole["data"]));
    }
}

#[tokio::test]
async fn types_and_members_of_a_later_version_pass_as_they_are() {
    let site = Backplane::Redis.start().await;
    let anna = Token::user("acme", "anna").sign();
    let mut session = RawSession::open(&site, &anna).await;
    let start = site.publish(&event("acme", "devis:signed", 1)).await;
    let next = Cursor { seq: start.seq + 1, ..start };
    let frame = json!({
        "frame": "event", "id": next, "type": "stock:recounted", "companyId": "acme", "time": "2026-11-22T10:00:00.000Z",
        "source": "/of/a/later/version", "data": { "n": 2, "unit": { "of": ["a", null] } },
    })
    .to_string();

    publish(&site, &[(next, format!("1 {next} stock:recounted {frame}"))]).await;
    let after = site.publish(&event("acme", "devis:signed", 3)).await;

    assert!(after.follows(next));
    session.expect(Opcode::Text).await;
    assert_eq!(session.expect(Opcode::Text).await.text(), frame, "not byte by byte");
    let answer = site.get(&format!("/v1/poll?lastEventId={start}&wait=0"), &anna).await;
    assert!(answer.body.contains(&frame), "{answer:?}");
    let events = site.poll_now(start, &anna).await.events;
    assert_eq!(events.iter().map(n).collect::<Vec<_>>(), [2, 3]);
}
