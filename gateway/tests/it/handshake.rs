//! The way in: what a correct handshake looks like, and what the others are told.

use serde_json::json;

use crate::support::{Client, Launch, Opcode, RawSession, Request, Token, event, frame, n};

const WS: &str = "/v1/ws";

#[tokio::test]
async fn the_token_travels_in_the_header() {
    let gateway = Launch::new().start().await;
    let token = format!("Bearer {}", Token::user("acme", "anna").sign());

    let plain = Client::open(gateway.public, WS, &[("Authorization", &token)]).await;
    let offered = [("Authorization", token.as_str()), ("Sec-WebSocket-Protocol", "realtime.v1")];
    let named = Client::open(gateway.public, WS, &offered).await;

    assert_eq!(plain.protocol, None, "a protocol that was not offered cannot be selected");
    assert_eq!(named.protocol.as_deref(), Some("realtime.v1"));
}

#[tokio::test]
async fn the_token_travels_as_a_subprotocol() {
    let gateway = Launch::new().start().await;
    let token = Token::user("acme", "anna").sign();

    for offer in [format!("realtime.v1, bearer.{token}"), format!("bearer.{token},realtime.v1")] {
        let mut anna = Client::open(gateway.public, WS, &[("Sec-WebSocket-Protocol", &offer)]).await;
        assert_eq!(anna.protocol.as_deref(), Some("realtime.v1"), "the token is never echoed");
        let id = gateway.publish(&event("acme", "devis:signed", 1)).await;
        assert_eq!(anna.event().await.id, id);
    }
    let bad = Request::upgrade(WS).header("Sec-WebSocket-Protocol", "realtime.v1, bearer.nonsense");
    gateway.send(bad).await.expect_problem(401, "unauthorized");
    let none = Request::upgrade(WS).header("Sec-WebSocket-Protocol", "realtime.v1");
    gateway.send(none).await.expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn a_token_in_the_url_does_not_count() {
    let gateway = Launch::new().start().await;
    let token = Token::user("acme", "anna").sign();
    for name in ["token", "access_token", "jwt", "bearer", "authorization"] {
        let request = Request::upgrade(&format!("{WS}?{name}={token}"));
        gateway.send(request).await.expect_problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_service_token_for_every_company_opens_no_session() {
    let gateway = Launch::new().start().await;
    gateway.knock(&Token::service("*").sign()).await.expect_problem(403, "forbidden");
    gateway.knock(&Token::user("*", "anna").sign()).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn only_the_token_names_the_company() {
    let gateway = Launch::new().start().await;
    let token = format!("Bearer {}", Token::user("acme", "anna").sign());
    let path = "/v1/ws?companyId=other&company=other&room=company:other&company_id=*";
    let headers = [
        ("Authorization", token.as_str()),
        ("X-Company-Id", "other"),
        ("X-Tenant", "other"),
        ("Cookie", "companyId=other"),
    ];

    let mut anna = Client::open(gateway.public, path, &headers).await;
    gateway.publish(&event("other", "devis:signed", 1)).await;
    gateway.publish(&event("acme", "devis:signed", 2)).await;

    assert_eq!(anna.welcome.company_id.as_str(), "acme");
    assert_eq!(n(&anna.event().await), 2);
}

#[tokio::test]
async fn what_is_not_a_websocket_handshake_is_refused() {
    let gateway = Launch::new().start().await;
    let good = Request::upgrade(WS).bearer(&Token::user("acme", "anna").sign());

    let plain = good.clone().without("Connection").without("Upgrade");
    gateway.send(plain).await.expect_problem(426, "upgrade_required");
    let other_protocol = good.clone().without("Upgrade").header("Upgrade", "h2c");
    gateway.send(other_protocol).await.expect_problem(426, "upgrade_required");
    let version = good.clone().without("Sec-WebSocket-Version");
    for version in [version.clone(), version.clone().header("Sec-WebSocket-Version", "8")] {
        let response = gateway.send(version).await;
        assert!([400, 426].contains(&response.status), "{response:?}");
        assert!(["bad_request", "upgrade_required"].contains(&response.problem_code().as_str()), "{response:?}");
    }
    for method in ["POST", "PUT", "HEAD"] {
        let response = gateway.send(good.clone().method(method).header("Content-Length", "0")).await;
        assert!([400, 405, 426].contains(&response.status), "{method}: {response:?}");
    }
    let no_key = gateway.send(good.clone().without("Sec-WebSocket-Key")).await;
    no_key.expect_problem(400, "bad_request");
    assert_eq!(gateway.send(good).await.status, 101);
}

#[tokio::test]
async fn the_accept_key_answers_the_key() {
    let gateway = Launch::new().start().await;
    let response = gateway.knock(&Token::user("acme", "anna").sign()).await;
    assert_eq!(response.status, 101);
    // The example of RFC 6455, section 1.3.
    assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert!(response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("upgrade")), "{response:?}");
}

#[tokio::test]
async fn frames_sent_with_the_handshake_are_not_lost() {
    let gateway = Launch::new().start().await;
    let token = Token::user("acme", "anna").sign();
    let ping = frame(true, Opcode::Text, br#"{"frame":"ping"}"#);

    let mut session = RawSession::open_eagerly(&gateway, &token, &[&ping[..], &ping[..]].concat()).await;

    assert_eq!(session.expect(Opcode::Text).await.text(), r#"{"frame":"pong"}"#);
    assert_eq!(session.expect(Opcode::Text).await.text(), r#"{"frame":"pong"}"#);
}

#[tokio::test]
async fn a_handshake_behind_another_request_in_one_segment_is_answered_after_it() {
    let gateway = Launch::new().start().await;
    let request = Request::get("/v1/nothing").header("Connection", "keep-alive").encode(gateway.public);
    let upgrade = Request::upgrade(WS).bearer(&Token::user("acme", "anna").sign()).encode(gateway.public);
    let ping = frame(true, Opcode::Text, br#"{"frame":"ping"}"#);
    let mut session = RawSession::silent(&gateway).await;

    session.send(&[request, upgrade, ping].concat()).await;

    session.expect_answer().await.expect_problem(404, "not_found");
    session.expect_upgrade().await;
    assert_eq!(session.expect(Opcode::Text).await.text(), r#"{"frame":"pong"}"#);
}

#[tokio::test]
async fn a_handshake_that_comes_byte_by_byte_is_understood() {
    let gateway = Launch::new().start().await;
    let request = Request::upgrade(WS).bearer(&Token::user("acme", "anna").sign()).encode(gateway.public);
    let mut session = RawSession::silent(&gateway).await;

    session.trickle(&request).await;
    session.expect_upgrade().await;
    session.trickle(&frame(true, Opcode::Text, json!({ "frame": "ping" }).to_string().as_bytes())).await;

    assert_eq!(session.expect(Opcode::Text).await.text(), r#"{"frame":"pong"}"#);
}
