//! Renewing a token in place, and what happens to who does not.

use serde_json::json;
use shared::CloseCode;

use crate::support::{Backplane, Token, event, n, on_both_backplanes};

on_both_backplanes![
    a_renewal_by_the_same_user_is_silent,
    a_renewal_changes_what_the_session_may_receive,
    a_renewal_for_somebody_else_closes_the_session,
    a_renewal_with_a_bad_token_closes_the_session,
];

async fn a_renewal_by_the_same_user_is_silent(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna");
    let mut anna = site.connect(&token.sign()).await;

    anna.send(&json!({ "frame": "auth", "token": token.expires_in(7200).sign() })).await;
    anna.send(&json!({ "frame": "ping" })).await;

    assert_eq!(anna.frame().await, shared::ServerFrame::Pong {});
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&anna.event().await), 1);
}

async fn a_renewal_changes_what_the_session_may_receive(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna");
    let mut anna = site.open("/v1/ws?types=devis:*,facture:*", &token.sign()).await;
    let types = ["devis:signed", "facture:paid", "message:received"];

    for (number, event_type) in (0..).zip(types) {
        site.publish(&event("acme", event_type, number)).await;
    }
    assert_eq!(anna.events(2).await.iter().map(n).collect::<Vec<_>>(), [0, 1]);
    let narrower = token.claim("events", json!(["facture:*", "message:*"])).sign();
    anna.send(&json!({ "frame": "auth", "token": narrower })).await;
    anna.send(&json!({ "frame": "ping" })).await;
    assert_eq!(anna.frame().await, shared::ServerFrame::Pong {});
    for (number, event_type) in (10..).zip(types).chain((20..).zip(types)) {
        site.publish(&event("acme", event_type, number)).await;
    }

    assert_eq!(anna.events(2).await.iter().map(n).collect::<Vec<_>>(), [11, 21]);
}

async fn a_renewal_for_somebody_else_closes_the_session(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    for other in [Token::user("acme", "bruno"), Token::user("other", "anna"), Token::service("*")] {
        let mut anna = site.connect(&token).await;
        anna.send(&json!({ "frame": "auth", "token": other.sign() })).await;
        assert_eq!(anna.expect_close().await, CloseCode::Forbidden.code(), "{other:?}");
    }
}

async fn a_renewal_with_a_bad_token_closes_the_session(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna");
    for bad in ["", "nonsense", &token.clone().expires_in(-60).sign(), &token.unsigned("")] {
        let mut anna = site.connect(&token.sign()).await;
        anna.send(&json!({ "frame": "auth", "token": bad })).await;
        assert_eq!(anna.expect_close().await, CloseCode::TokenExpired.code(), "{bad}");
    }
}

/// The one test that waits for a clock: a token counts until five seconds after its `exp`.
#[tokio::test]
async fn a_session_ends_with_its_token_unless_it_is_renewed() {
    let site = Backplane::Embedded.start().await;
    let short = Token::user("acme", "anna").expires_in(0);
    let mut renewed = site.connect(&short.sign()).await;
    let mut forgotten = site.connect(&short.sign()).await;
    renewed.send(&json!({ "frame": "auth", "token": short.clone().expires_in(3600).sign() })).await;

    assert_eq!(forgotten.expect_close().await, CloseCode::TokenExpired.code());
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&renewed.event().await), 1);
}
