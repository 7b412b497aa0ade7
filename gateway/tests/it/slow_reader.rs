//! A reader that stops reading is cut off within its bound; nobody else notices.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{CloseCode, Resume};
use tokio::time::Instant;

use crate::support::{Backplane, RawSession, Site, Token, n, on_both_backplanes};

on_both_backplanes![slow_session_is_closed_and_resumes,];

/// 330 events of 62 KB are 20 MB: far more than a socket's buffers and the gateway's 1 MiB hold.
const EVENTS: u64 = 330;
const EVENT_BYTES: usize = 62_000;
const STALLED: usize = 8;
/// What the gateway may grow by: the log of the embedded backplane, or what a room keeps of it, is 20 MB; the rest is
/// slack for allocators and for what is on its way. Eight queues without a bound would be 160 MB if each held a copy.
const GROWTH: u64 = 80 * 1024 * 1024;
/// An event reaches the session that reads in this time after its publish was answered, on a busy machine.
const DELAY: Duration = Duration::from_secs(2);

async fn slow_session_is_closed_and_resumes(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    let mut reader = site.connect(&token).await;
    let start = reader.welcome.last_event_id;
    let mut stalled = vec![];
    for _ in 0..STALLED {
        stalled.push(RawSession::open_narrow(&site, &token).await);
    }
    let before = site.resident_bytes();

    for number in 0..EVENTS {
        publish_big(&site, number).await;
        let published = Instant::now();
        assert_eq!(n(&reader.event().await), number);
        assert!(published.elapsed() < DELAY, "event {number} came {:?} after its publish", published.elapsed());
    }

    let growth = site.resident_bytes().saturating_sub(before);
    assert!(growth < GROWTH, "it grew by {growth} bytes");
    for session in &mut stalled {
        // What the kernel held comes first, all of it whole; then the reason.
        let mut received = 0;
        let close = loop {
            let frame = session.next().await.expect("it ended without a close frame");
            if let Some(code) = frame.close_code() {
                break code;
            }
            received += 1;
        };
        assert_eq!(close, CloseCode::SlowConsumer.code());
        assert!(received < EVENTS, "it was closed although it had received everything");
    }
    drop(stalled);
    #[expect(clippy::cast_precision_loss, reason = "it is 8")]
    site.metric_becomes("gateway_sessions_closed_total{code=\"4408\"}", STALLED as f64).await;
    site.metric_becomes("gateway_connections{state=\"active\"}", 1.0).await;

    let mut back = site.connect_from(&token, start).await;
    assert_eq!(back.welcome.resume, Resume::Recovered);
    for number in 0..EVENTS {
        assert_eq!(n(&back.event().await), number);
    }
}

async fn publish_big(site: &Site, number: u64) {
    site.publish(&big(number)).await;
}

fn big(number: u64) -> Value {
    let data = json!({ "n": number, "text": "x".repeat(EVENT_BYTES) });
    json!({ "companyId": "acme", "type": "devis:signed", "data": data })
}
