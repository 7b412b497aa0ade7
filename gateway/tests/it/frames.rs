//! What a client sends: pings, and what the gateway does not understand.

use serde_json::json;
use shared::{CloseCode, ServerFrame};

use crate::support::{Backplane, Incoming, Token, event, n, on_both_backplanes};

on_both_backplanes![
    a_ping_is_answered,
    an_unknown_frame_is_an_error_and_the_session_goes_on,
    a_session_that_talks_nonsense_is_closed,
    a_binary_message_is_an_error_and_the_session_goes_on,
    a_message_of_more_than_16_kib_closes_the_session,
    a_client_that_says_goodbye_is_answered,
    a_frame_cannot_name_another_company,
];

async fn a_ping_is_answered(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;

    anna.send(&json!({ "frame": "ping" })).await;
    assert_eq!(anna.frame().await, ServerFrame::Pong {});
    anna.send(&json!({ "frame": "ping", "sentAt": 12 })).await;
    assert_eq!(anna.frame().await, ServerFrame::Pong {}, "a member that it does not know does not disturb");
    anna.send_ping(b"are you there").await;
    assert_eq!(anna.next().await, Incoming::Pong(b"are you there".to_vec()));
}

async fn an_unknown_frame_is_an_error_and_the_session_goes_on(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;

    let nonsense = [
        "",
        "hello",
        "null",
        "[]",
        "{}",
        "{\"frame\":\"subscribe\"}",
        "{\"frame\":7}",
        "{\"frame\":\"auth\"}",
        "{\"frame\":\"ping\"",
        "{\"frame\":\"event\",\"id\":\"1-1\"}",
    ];
    for text in nonsense.iter().copied().chain(["[".repeat(10_000).as_str(), "\u{0}"]) {
        anna.send_text(text).await;
        assert_eq!(anna.expect_error().await, "unknown_frame", "{}", &text[..text.len().min(40)]);
    }
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&anna.event().await), 1);
}

async fn a_session_that_talks_nonsense_is_closed(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let mut bruno = site.connect(&Token::user("acme", "anna").sign()).await;

    for number in 0..40 {
        anna.send(&json!({ "frame": "unknown", "number": number })).await;
    }
    for _ in 0..20 {
        assert_eq!(anna.expect_error().await, "unknown_frame");
    }

    assert_eq!(anna.expect_close().await, CloseCode::Policy.code());
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&bruno.event().await), 1, "only that session suffers");
}

async fn a_binary_message_is_an_error_and_the_session_goes_on(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;

    anna.send_binary(b"{\"frame\":\"ping\"}").await;
    assert_eq!(anna.expect_error().await, "binary_not_supported");
    anna.send_binary(b"\xff\x00").await;
    assert_eq!(anna.expect_error().await, "binary_not_supported");
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&anna.event().await), 1);
    for _ in 0..40 {
        anna.send_binary(b"x").await;
    }
    assert_eq!(anna.expect_close().await, CloseCode::Policy.code());
}

async fn a_message_of_more_than_16_kib_closes_the_session(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let mut bruno = site.connect(&Token::user("acme", "anna").sign()).await;

    anna.send_text(&"x".repeat(16 * 1024)).await;
    assert_eq!(anna.expect_error().await, "unknown_frame", "16 KiB are allowed");
    anna.send_text(&"x".repeat(16 * 1024 + 1)).await;
    assert_eq!(anna.expect_close().await, CloseCode::TooBig.code());
    bruno.send_binary(&[0; 16 * 1024 + 1]).await;
    assert_eq!(bruno.expect_close().await, CloseCode::TooBig.code());
}

async fn a_client_that_says_goodbye_is_answered(backplane: Backplane) {
    let site = backplane.start().await;
    let anna = site.connect(&Token::user("acme", "anna").sign()).await;
    anna.close().await;
    site.metric_becomes("gateway_connections{state=\"active\"}", 0.0).await;
}

async fn a_frame_cannot_name_another_company(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    let mut anna = site.connect(&token).await;

    anna.send(&json!({ "frame": "subscribe", "companyId": "other" })).await;
    assert_eq!(anna.expect_error().await, "unknown_frame");
    anna.send(&json!({ "frame": "auth", "token": token, "companyId": "other" })).await;
    site.publish(&event("other", "devis:signed", 1)).await;
    site.publish(&event("acme", "devis:signed", 2)).await;

    assert_eq!(n(&anna.event().await), 2);
}
