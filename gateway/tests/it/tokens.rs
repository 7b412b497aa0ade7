//! Tokens that must not open the door, and those on its very edge.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::support::{Backplane, Client, Gateway, Launch, Request, SECRET, Token, event};

fn anna() -> Token {
    Token::user("acme", "anna")
}

/// Each of these is refused, whatever it is for.
async fn expect_refused(gateway: &Gateway, tokens: &[(&str, String)]) {
    for (what, token) in tokens {
        for response in [
            gateway.knock(token).await,
            gateway.get("/v1/events", token).await,
            gateway.post("/v1/events", token, &event("acme", "devis:signed", 1)).await,
        ] {
            assert_eq!((response.status, &*response.problem_code()), (401, "unauthorized"), "{what}: {response:?}");
            assert!(!response.body.contains("acme"), "{what}: the answer repeats the token: {response:?}");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_wrong_in_any_way_is_refused_before_redis_hears_of_it() {
    let site = Backplane::Redis.start().await;
    let redis = site.redis.as_ref().unwrap();
    let sign_with = |secret: &[u8], algorithm| anna().sign_with(algorithm, &EncodingKey::from_secret(secret));
    let with = |claim: &str, value: Value| anna().claim(claim, value).sign();
    let good = anna().claim("scope", json!("publish")).sign();
    let (signed, signature) = good.rsplit_once('.').unwrap();

    expect_refused(
        &site,
        &[
            ("another secret", sign_with(b"another secret of more than thirty-two bytes", Algorithm::HS256)),
            ("an empty secret", sign_with(b"", Algorithm::HS256)),
            ("another algorithm", sign_with(SECRET.as_bytes(), Algorithm::HS512)),
            ("expired beyond the leeway", anna().expires_in(-8).sign()),
            ("not valid yet", with("nbf", json!(u32::MAX))),
            ("alg none, no signature", anna().unsigned("")),
            ("alg none, some signature", anna().unsigned(signature)),
            ("no signature", format!("{signed}.")),
            ("a signature cut short", format!("{signed}.{}", &signature[..signature.len() - 4])),
            ("no sub", anna().without("sub").sign()),
            ("an empty sub", with("sub", json!(""))),
            ("a sub that is no text", with("sub", json!(7))),
            ("no companyId", anna().without("companyId").sign()),
            ("an empty companyId", with("companyId", json!(""))),
            ("a companyId that is a pattern", with("companyId", json!("ac*"))),
            ("a companyId that is a command", with("companyId", json!("acme\r\nSUBSCRIBE company:other"))),
            ("a companyId with a twin letter", with("companyId", json!("\u{430}cme"))),
            ("a companyId of 10 KB", with("companyId", json!("a".repeat(10_000)))),
            ("two companies", with("companyId", json!(["acme", "other"]))),
            ("no exp", anna().without("exp").sign()),
            ("exp as text", with("exp", json!("99999999999"))),
            ("exp without end", with("exp", json!(1e30))),
            ("exp below zero", with("exp", json!(-1))),
            ("events that are no patterns", with("events", json!(["devis signed"]))),
            ("garbage", "garbage".to_owned()),
            ("dots", "..".to_owned()),
            ("empty", String::new()),
            ("long garbage", "a.b.c".repeat(1_000)),
        ],
    )
    .await;

    assert_eq!(redis.company_channels().await, Vec::<String>::new());
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "*company*"]).await, Vec::<String>::new());
    let _session = site.connect(&good).await;
    assert_eq!(redis.company_channels().await, ["company:acme"], "the good one does subscribe");
}

#[tokio::test]
async fn the_scheme_of_the_header_must_be_bearer() {
    let gateway = Launch::new().start().await;
    let token = anna().sign();
    for header in [format!("Basic {token}"), token.clone(), format!("Bearer{token}"), "Bearer".to_owned()] {
        let request = Request::upgrade("/v1/ws").header("Authorization", &header);
        gateway.send(request).await.expect_problem(401, "unauthorized");
    }
    gateway.send(Request::upgrade("/v1/ws")).await.expect_problem(401, "unauthorized");
    let lower_case = format!("bearer {token}");
    Client::open(gateway.public, "/v1/ws", &[("Authorization", &lower_case)]).await;
}

#[tokio::test]
async fn five_seconds_of_leeway_are_given() {
    let gateway = Launch::new().start().await;
    assert_eq!(gateway.knock(&anna().expires_in(-2).sign()).await.status, 101, "expired a moment ago");
    let soon = anna().claim("nbf", json!(chrono::Utc::now().timestamp() + 3)).sign();
    assert_eq!(gateway.knock(&soon).await.status, 101, "valid in a moment");
    assert_eq!(gateway.knock(&anna().claim("nbf", json!(0)).sign()).await.status, 101);
}

#[tokio::test]
async fn issuer_and_audience_are_required_where_they_are_configured() {
    let gateway = Launch::new()
        .set("GATEWAY_JWT_ISSUER", "https://id.example")
        .set("GATEWAY_JWT_AUDIENCE", "realtime")
        .start()
        .await;
    let good = anna().claim("iss", json!("https://id.example")).claim("aud", json!("realtime"));

    expect_refused(
        &gateway,
        &[
            ("neither", anna().sign()),
            ("no iss", good.clone().without("iss").sign()),
            ("no aud", good.clone().without("aud").sign()),
            ("another iss", good.clone().claim("iss", json!("https://id.example.evil")).sign()),
            ("iss as a number", good.clone().claim("iss", json!(1)).sign()),
            ("another aud", good.clone().claim("aud", json!("billing")).sign()),
            ("aud as a number", good.clone().claim("aud", json!(1)).sign()),
            ("aud as null", good.clone().claim("aud", json!(null)).sign()),
            ("no aud in the list", good.clone().claim("aud", json!([])).sign()),
            ("other auds in the list", good.clone().claim("aud", json!(["billing", "mail"])).sign()),
        ],
    )
    .await;

    assert_eq!(gateway.knock(&good.sign()).await.status, 101);
    assert_eq!(gateway.knock(&good.claim("aud", json!(["billing", "realtime"])).sign()).await.status, 101);
}

#[tokio::test]
async fn issuer_and_audience_do_not_matter_where_they_are_not_configured() {
    let gateway = Launch::new().start().await;
    let token = anna().claim("iss", json!("anybody")).claim("aud", json!(["anything"])).claim("jti", json!("t-1"));
    assert_eq!(gateway.knock(&token.claim("role", json!("boss")).sign()).await.status, 101);
}

#[tokio::test]
async fn a_scope_is_a_word_of_its_own() {
    let gateway = Launch::new().start().await;
    let scopes = ["", "publish", "Admin", "ADMIN", "admin,publish", "administrator", "xadmin", "admin\tx", "*"];
    for scope in scopes {
        let token = Token::user("*", "ops").claim("scope", json!(scope)).sign();
        gateway.post("/v1/revocations", &token, &json!({ "userId": "anna" })).await.expect_problem(403, "forbidden");
    }
    let counted = gateway.metric("gateway_handshakes_rejected_total{reason=\"forbidden\"}").await;
    assert_eq!(counted, scopes.len() as f64);
    let token = Token::user("*", "ops").claim("scope", json!("publish admin")).sign();
    assert_eq!(gateway.post("/v1/revocations", &token, &json!({ "userId": "anna" })).await.status, 200);
}
