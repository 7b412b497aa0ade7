//! Tokens that nobody was given, and requests that carry a good one in a bad way: on each way in refused, with the same
//! status, and counted by reason.

use std::collections::BTreeMap;

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use shared::CloseCode;

use crate::support::{Gateway, KeyPair, Launch, Request, SECRET, Token, forge};

/// The three transports, and the two other doors for listeners and services.
const DOORS: [(&str, &str); 5] = [
    ("GET", "/v1/ws"),
    ("GET", "/v1/sse"),
    ("GET", "/v1/poll?wait=0"),
    ("GET", "/v1/events"),
    ("POST", "/v1/revocations"),
];

/// A row: what is wrong, the headers that carry it, and the reason that it counts under.
pub(super) type Row = (&'static str, Vec<(&'static str, String)>, &'static str);

pub(super) fn anna() -> Token {
    Token::user("acme", "anna")
}

pub(super) fn hs256() -> EncodingKey {
    EncodingKey::from_secret(SECRET.as_bytes())
}

pub(super) fn bearer(token: &str) -> Vec<(&'static str, String)> {
    vec![("Authorization", format!("Bearer {token}"))]
}

/// A token that is correctly signed and says this.
fn says(claim: &str, value: Value) -> Vec<(&'static str, String)> {
    bearer(&anna().claim(claim, value).sign())
}

/// Each row is refused at each door, and nothing else is counted. Nor does it renew a session that `good` has opened.
pub(super) async fn expect_refused(gateway: &Gateway, good: &str, rows: &[Row]) {
    let mut expected = BTreeMap::new();
    let mut renewals = BTreeMap::new();
    for (what, headers, reason) in rows {
        for (method, path) in DOORS {
            let request = if path == "/v1/ws" { Request::upgrade(path) } else { Request::new(method, path) };
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            let response = gateway.send(request).await;
            assert_eq!(
                (response.status, &*response.problem_code()),
                (401, "unauthorized"),
                "{what} at {path}: {response:?}"
            );
            assert_eq!(response.header("www-authenticate"), Some("Bearer"), "{what}: {response:?}");
            *expected.entry(*reason).or_insert(0.0) += 1.0;
        }
        if let [("Authorization", value)] = &headers[..]
            && let Some(token) = value.strip_prefix("Bearer ")
        {
            let mut session = gateway.connect(good).await;
            session.send(&json!({ "frame": "auth", "token": token })).await;
            assert_eq!(session.expect_close().await, CloseCode::TokenExpired.code(), "{what}");
            *renewals.entry(*reason).or_insert(0.0) += 1.0;
        }
    }
    for (reason, count) in &renewals {
        gateway.metric_becomes(&format!("gateway_renewals_total{{result=\"{reason}\"}}"), *count).await;
    }
    for (reason, count) in &expected {
        let counted = gateway.metric(&format!("gateway_handshakes_rejected_total{{reason=\"{reason}\"}}")).await;
        assert_eq!(counted, *count, "{reason}");
    }
    let total = gateway.metric_sum("gateway_handshakes_rejected_total").await;
    assert_eq!(total, expected.values().sum::<f64>(), "something was counted under another reason");
    let accepted = gateway.metric("gateway_sessions_accepted_total").await;
    assert_eq!(accepted, renewals.values().sum::<f64>(), "a session began that should not have");
}

#[tokio::test]
async fn forged_headers_and_signatures_open_no_door() {
    let gateway = Launch::new().start().await;
    let good = anna().sign();
    let parts: Vec<&str> = good.split('.').collect();
    let [head, claims, signature] = parts[..] else { unreachable!("a token has three parts") };
    let header = |more: Value| bearer(&anna().header(more));
    let with_key = |key: &[u8], algorithm| bearer(&anna().sign_with(algorithm, &EncodingKey::from_secret(key)));
    let jwk = json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" });
    let evil = EncodingKey::from_secret(b"the key of somebody else, which is long enough");
    let embedded =
        json!({ "typ": "JWT", "alg": "HS256", "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/", "jwk": jwk });

    expect_refused(
        &gateway,
        &good,
        &[
            ("alg none", bearer(&anna().unsigned("")), "token_malformed"),
            ("alg none with a signature", bearer(&anna().unsigned(signature)), "token_malformed"),
            ("alg None", header(json!({ "alg": "None" })), "token_malformed"),
            (
                "no alg",
                bearer(&forge(r#"{"typ":"JWT"}"#, &anna().text(), Algorithm::HS256, &hs256())),
                "token_malformed",
            ),
            ("alg as a list", header(json!({ "alg": ["HS256"] })), "token_malformed"),
            (
                "two algs",
                bearer(&forge(r#"{"alg":"HS256","alg":"none"}"#, &anna().text(), Algorithm::HS256, &hs256())),
                "token_malformed",
            ),
            ("another HMAC", with_key(SECRET.as_bytes(), Algorithm::HS384), "token_signature"),
            ("another family by name", header(json!({ "alg": "RS256" })), "token_signature"),
            (
                "another secret",
                with_key(b"another secret of more than thirty-two bytes", Algorithm::HS256),
                "token_signature",
            ),
            ("the empty secret", with_key(b"", Algorithm::HS256), "token_signature"),
            (
                "a key in the header",
                bearer(&forge(&embedded.to_string(), &anna().text(), Algorithm::HS256, &evil)),
                "token_signature",
            ),
            (
                "a kid that is a path",
                bearer(&anna().sign_as("../../dev/null", Algorithm::HS256, &EncodingKey::from_secret(b""))),
                "token_signature",
            ),
            (
                "a kid that is a statement",
                bearer(&anna().sign_as("' UNION SELECT 'x' --", Algorithm::HS256, &EncodingKey::from_secret(b"x"))),
                "token_signature",
            ),
            ("a kid as a number", header(json!({ "kid": 7 })), "token_malformed"),
            ("crit", header(json!({ "crit": ["exp"] })), "token_malformed"),
            ("crit and b64", header(json!({ "crit": ["b64"], "b64": false })), "token_malformed"),
            ("b64 alone", header(json!({ "b64": false })), "token_malformed"),
            ("no signature", bearer(&format!("{head}.{claims}.")), "token_signature"),
            ("two parts", bearer(&format!("{head}.{claims}")), "token_malformed"),
            ("four parts", bearer(&format!("{good}.{signature}")), "token_malformed"),
            (
                "five parts, as encrypted ones have",
                bearer(&format!("{head}.{claims}.{claims}.{claims}.{signature}")),
                "token_malformed",
            ),
            ("a dot before", bearer(&format!(".{good}")), "token_malformed"),
            ("a dot behind", bearer(&format!("{good}.")), "token_malformed"),
            ("padding", bearer(&format!("{head}.{claims}.{signature}=")), "token_malformed"),
            ("cut short", bearer(&good[..good.len() - 3]), "token_signature"),
            (
                "another's claims",
                bearer(&format!(
                    "{head}.{}.{signature}",
                    Token::user("other", "anna").sign().split('.').nth(1).unwrap()
                )),
                "token_signature",
            ),
            (
                "claims that are a list",
                bearer(&forge(r#"{"alg":"HS256"}"#, "[]", Algorithm::HS256, &hs256())),
                "token_malformed",
            ),
            (
                "claims that are no JSON",
                bearer(&forge(r#"{"alg":"HS256"}"#, "{", Algorithm::HS256, &hs256())),
                "token_malformed",
            ),
            ("huge", says("role", json!("x".repeat(9_000))), "token_malformed"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_public_key_is_no_secret() {
    let pair = KeyPair::generate(Algorithm::RS256);
    let gateway = Launch::new().public_key(pair.public_path()).start().await;
    let pem = std::fs::read(&pair.public_file).unwrap();
    let text = String::from_utf8(pem.clone()).unwrap();
    let hmac = |key: &[u8]| bearer(&anna().sign_with(Algorithm::HS256, &EncodingKey::from_secret(key)));
    let elliptic = KeyPair::generate(Algorithm::ES256);

    expect_refused(
        &gateway,
        &anna().sign_with(Algorithm::RS256, &pair.private),
        &[
            ("HS256 with the key's file", hmac(&pem), "token_signature"),
            ("HS256 with the key's text", hmac(text.trim().as_bytes()), "token_signature"),
            ("another family", bearer(&anna().sign_with(Algorithm::ES256, &elliptic.private)), "token_signature"),
            ("a longer hash", bearer(&anna().sign_with(Algorithm::RS512, &pair.private)), "token_signature"),
            (
                "another key",
                bearer(&anna().sign_with(Algorithm::RS256, &KeyPair::generate(Algorithm::RS256).private)),
                "token_signature",
            ),
        ],
    )
    .await;
    assert_eq!(gateway.knock(&anna().sign_with(Algorithm::RS256, &pair.private)).await.status, 101);
}

#[tokio::test]
async fn a_good_token_counts_only_where_it_belongs_and_only_once() {
    let gateway = Launch::new().start().await;
    let (token, other) = (anna().sign(), Token::user("other", "bruno").sign());
    let offer = |text: String| ("Sec-WebSocket-Protocol", text);

    expect_refused(
        &gateway,
        &token,
        &[
            ("none", vec![], "token_missing"),
            ("another scheme", vec![("Authorization", format!("Basic {token}"))], "token_missing"),
            ("no scheme", vec![("Authorization", token.clone())], "token_missing"),
            ("in a cookie", vec![("Cookie", format!("token={token}"))], "token_missing"),
            ("in a header of its own", vec![("X-Authorization", format!("Bearer {token}"))], "token_missing"),
            (
                "two subprotocols",
                vec![offer(format!("realtime.v1, bearer.{token}, bearer.{other}"))],
                "token_ambiguous",
            ),
            (
                "in two lines",
                vec![offer(format!("bearer.{token}")), offer(format!("bearer.{other}"))],
                "token_ambiguous",
            ),
            (
                "header and subprotocol",
                [bearer(&token), vec![offer(format!("bearer.{other}"))]].concat(),
                "token_ambiguous",
            ),
            ("two headers", [bearer(&token), bearer(&other)].concat(), "token_ambiguous"),
        ],
    )
    .await;
    for path in ["/v1/ws", "/v1/sse", "/v1/poll", "/v1/events"] {
        for name in ["token", "access_token", "authorization", "bearer"] {
            let path = format!("{path}?{name}={token}");
            let request = if path.starts_with("/v1/ws") { Request::upgrade(&path) } else { Request::get(&path) };
            gateway.send(request).await.expect_problem(401, "unauthorized");
        }
    }
}
