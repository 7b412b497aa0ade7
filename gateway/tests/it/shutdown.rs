//! SIGTERM: every session is told to come back elsewhere, and the process ends well.

use shared::CloseCode;
use tokio::time::Instant;

use crate::support::{Backplane, Launch, Opcode, RawSession, Redis, Token, on_both_backplanes};

on_both_backplanes![every_session_is_closed_with_1012, a_session_that_does_not_answer_does_not_hold_it_up,];

async fn every_session_is_closed_with_1012(backplane: Backplane) {
    let mut site = backplane.start_with(Launch::new().set("GATEWAY_DRAIN_SECS", "3")).await;
    let mut sessions = vec![];
    for company in ["acme", "acme", "bati", "other", "acme"] {
        sessions.push(site.connect(&Token::user(company, "anna").sign()).await);
    }
    let started = Instant::now();

    site.gateway.terminate();

    for session in &mut sessions {
        assert_eq!(session.expect_close().await, CloseCode::Restart.code());
    }
    assert_eq!(site.gateway.exit().await.code(), Some(0));
    assert!(started.elapsed().as_secs() < 5, "it took {:?}", started.elapsed());
}

async fn a_session_that_does_not_answer_does_not_hold_it_up(backplane: Backplane) {
    let mut site = backplane.start_with(Launch::new().set("GATEWAY_DRAIN_SECS", "3")).await;
    let mut mute = RawSession::open(&site, &Token::user("acme", "anna").sign()).await;
    let stalled = RawSession::open_narrow(&site, &Token::user("acme", "anna").sign()).await;
    let mut silent = RawSession::silent(&site).await;
    silent.send(b"GET /v1/ws HTTP/1.1\r\nHost: x\r\n").await;
    let started = Instant::now();

    site.gateway.terminate();

    // A `reconnect` may come first.
    let close = loop {
        let frame = mute.next().await.expect("it ended without a close frame");
        if frame.opcode != Opcode::Text as u8 {
            break frame;
        }
    };
    assert_eq!(close.close_code(), Some(CloseCode::Restart.code()));
    assert_eq!(site.gateway.exit().await.code(), Some(0));
    assert!(started.elapsed().as_secs() < 8, "it took {:?}", started.elapsed());
    drop(stalled);
}

#[tokio::test]
async fn a_gateway_whose_redis_is_away_still_ends_well() {
    let redis = Redis::absent();
    let mut gateway = Launch::new().redis(&redis).set("GATEWAY_DRAIN_SECS", "3").start().await;
    let mut anna = gateway.connect(&Token::user("acme", "anna").sign()).await;

    gateway.terminate();

    assert_eq!(anna.expect_close().await, CloseCode::Restart.code());
    assert_eq!(gateway.exit().await.code(), Some(0));
}
