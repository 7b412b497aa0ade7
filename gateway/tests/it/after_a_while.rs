//! What takes up to half a minute to show. All of it waits at the same time, in one test that the runner starts first.

use std::time::Duration;

use serde_json::json;
use shared::{CloseCode, CompanyId, Cursor, EventType, Record, keys};
use tokio::time::{Instant, interval, timeout};

use crate::link;
use crate::support::{Launch, Opcode, RawSession, Redis, Site, Token, event, frame, n};

#[tokio::test]
async fn half_a_minute_mends_links_brings_what_was_not_announced_and_ends_who_does_not_read() {
    tokio::join!(
        an_event_that_is_stored_but_never_announced_arrives(),
        sessions_that_ping_but_do_not_read_are_ended(),
        link::a_deaf_link_is_replaced_and_nothing_is_lost(),
        link::a_command_connection_that_is_cut_is_replaced_within_seconds(),
    );
}

/// An idle room looks into its log every 20 s.
const UNANNOUNCED: Duration = Duration::from_secs(26);

async fn an_event_that_is_stored_but_never_announced_arrives() {
    let redis = Redis::start().await;
    // Each heartbeat shows that the session lives, so that a test may wait for longer than its patience.
    let gateway = Launch::new().redis(&redis).set("GATEWAY_HEARTBEAT_SECS", "3").start().await;
    let token = Token::user("acme", "anna").sign();
    let mut session = gateway.connect(&token).await;
    let mut stream = gateway.stream(&token).await;
    let first = gateway.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!((n(&session.event().await), n(&stream.event().await)), (1, 1));

    let silent = Cursor { seq: first.seq + 1, ..first };
    let json = json!({
        "frame": "event", "id": silent, "type": "devis:signed", "companyId": "acme",
        "time": "2026-11-22T10:00:00.000Z", "data": { "n": 2 },
    });
    let record = Record::encode(silent, &EventType::parse("devis:signed").unwrap(), &json.to_string());
    let log = keys::log(&CompanyId::parse("acme").unwrap());
    redis.command::<String>(&["XADD", &log, &silent.to_string(), keys::LOG_FIELD, &record]).await;

    let both = async { (session.event().await.id, stream.event().await.id) };
    assert_eq!(timeout(UNANNOUNCED, both).await.expect("it never came"), (silent, silent));
}

/// Taking nothing for 30 s makes a reader a slow one, even of what it is owed.
const STALLED: Duration = Duration::from_secs(30);
const READERS: usize = 3;

async fn sessions_that_ping_but_do_not_read_are_ended() {
    let site = crate::support::Backplane::Redis.start().await;
    let token = Token::user("acme", "anna").sign();
    let start = publish_12_megabytes(&site).await;
    let mut witness = site.connect(&token).await;
    let mut stalled = vec![];
    for _ in 0..READERS {
        stalled.push(RawSession::open_narrow_from(&site, &token, start).await);
    }
    let began = Instant::now();

    // While they are in the room each event is handed to them as well.
    let mut rounds = interval(Duration::from_secs(2));
    let (mut number, mut handed) = (0, 0.0);
    loop {
        rounds.tick().await;
        let now = site.metric("gateway_deliveries_total").await;
        if now - handed < 1.5 {
            break;
        }
        (handed, number) = (now, number + 1);
        for session in &mut stalled {
            session.send(&frame(true, Opcode::Text, br#"{"frame":"ping"}"#)).await;
        }
        site.publish(&event("acme", "devis:signed", number)).await;
        assert_eq!(n(&witness.event().await), number);
        assert!(began.elapsed() < STALLED + Duration::from_secs(12), "they are still in after {:?}", began.elapsed());
    }

    assert!(began.elapsed() >= STALLED, "they were ended after {:?}", began.elapsed());
    for session in &mut stalled {
        // What was queued may come first.
        let close = loop {
            let frame = session.next().await.expect("it ended without a close frame");
            if let Some(code) = frame.close_code() {
                break code;
            }
        };
        assert_eq!(close, CloseCode::SlowConsumer.code());
    }
}

/// Publishes 200 events of 60 KB; the place before them.
async fn publish_12_megabytes(site: &Site) -> Cursor {
    let start = site.publish(&event("acme", "devis:signed", 0)).await;
    let data = json!({ "text": "x".repeat(60_000) });
    let one = json!({ "companyId": "acme", "type": "devis:signed", "data": data });
    for _ in 0..2 {
        site.publish_all(&json!(vec![one.clone(); 100])).await;
    }
    start
}
