//! Tokens that are correctly signed and say what no token may say.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::{
    forged::{anna, bearer, expect_refused, hs256},
    support::{Launch, forge, now},
};

#[tokio::test]
async fn claims_that_are_missing_wrong_or_of_another_kind_open_no_door() {
    let gateway = Launch::new()
        .set("GATEWAY_JWT_ISSUER", "https://id.example")
        .set("GATEWAY_JWT_AUDIENCE", "realtime")
        .start()
        .await;
    let anna = anna().claim("iss", json!("https://id.example")).claim("aud", json!("realtime"));
    let says = |claim: &str, value: Value| bearer(&anna.clone().claim(claim, value).sign());
    let lacks = |claim: &str| bearer(&anna.clone().without(claim).sign());
    let twice = |claim: &str| {
        let text = anna.text().replacen('{', &format!(r#"{{{claim},"#), 1);
        bearer(&forge(r#"{"alg":"HS256"}"#, &text, Algorithm::HS256, &hs256()))
    };

    expect_refused(
        &gateway,
        &anna.sign(),
        &[
            ("expired", says("exp", json!(now() - 8)), "token_expired"),
            ("expired long ago", says("exp", json!(0)), "token_expired"),
            ("exp as text", says("exp", json!("99999999999")), "token_malformed"),
            ("exp with a fraction", says("exp", json!(99_999_999_999.5)), "token_malformed"),
            ("exp below zero", says("exp", json!(-1)), "token_malformed"),
            ("exp without end", says("exp", json!(1e300)), "token_malformed"),
            ("exp as null", says("exp", json!(null)), "token_malformed"),
            ("not valid yet", says("nbf", json!(now() + 60)), "token_immature"),
            ("nbf as text", says("nbf", json!("0")), "token_malformed"),
            ("iat as text", says("iat", json!("0")), "token_malformed"),
            ("no exp", lacks("exp"), "token_malformed"),
            ("no sub", lacks("sub"), "token_malformed"),
            ("no companyId", lacks("companyId"), "token_malformed"),
            ("no iss", lacks("iss"), "token_audience"),
            ("another iss", says("iss", json!("https://id.example/")), "token_audience"),
            ("a list of iss", says("iss", json!(["https://id.example"])), "token_malformed"),
            ("no aud", lacks("aud"), "token_audience"),
            ("another aud", says("aud", json!("Realtime")), "token_audience"),
            ("a list of other aud", says("aud", json!(["billing", "mail"])), "token_audience"),
            ("an aud that is an object", says("aud", json!({ "realtime": 1 })), "token_malformed"),
            ("a sub that is a number", says("sub", json!(7)), "token_malformed"),
            ("a sub with a line end", says("sub", json!("anna\r\nSet-Cookie: x")), "token_malformed"),
            ("a jti that is a number", says("jti", json!(7)), "token_malformed"),
            ("a companyId that is a number", says("companyId", json!(7)), "token_malformed"),
            ("a companyId that is a pattern", says("companyId", json!("acm?")), "token_malformed"),
            ("a companyId that is a channel", says("companyId", json!("company:*")), "token_malformed"),
            ("a companyId with NUL behind it", says("companyId", json!("acme\u{0}")), "token_malformed"),
            ("a companyId with a twin letter", says("companyId", json!("\u{430}cme")), "token_malformed"),
            ("a companyId that is too long", says("companyId", json!("a".repeat(65))), "token_malformed"),
            ("two companyIds", twice(r#""companyId":"other""#), "token_malformed"),
            ("two exps", twice(r#""exp":1"#), "token_malformed"),
            ("scopes as a list", says("scope", json!(["admin"])), "token_malformed"),
            ("events as text", says("events", json!("*")), "token_malformed"),
            ("an event that is no pattern", says("events", json!(["devis:sig*"])), "token_malformed"),
        ],
    )
    .await;
    // The table would pass if everything were refused.
    assert_eq!(gateway.knock(&anna.sign()).await.status, 101);
    assert_eq!(
        gateway.knock(&anna.claim("iat", json!(1.5)).claim("aud", json!(["x", "realtime"])).sign()).await.status,
        101
    );
}
