//! Cutting somebody off: their sessions end, their tokens are refused, and nobody else notices.

use serde_json::{Value, json};
use shared::CloseCode;

use crate::support::{
    Api, Backplane, Launch, RawSession, Request, Response, Stream, Token, event, eventually, n, now, on_both_backplanes,
};

on_both_backplanes![
    a_user_who_is_cut_off_loses_every_session_and_is_let_in_nowhere,
    a_token_that_is_cut_off_leaves_its_users_others_alone,
    a_company_that_is_cut_off_is_out_and_no_other,
    of_several_conditions_all_must_hold,
    who_signs_in_again_is_let_in,
    a_revocation_ends_when_it_says,
    a_token_of_one_company_cuts_off_nobody_elsewhere,
    a_request_that_is_not_clear_cuts_nobody_off,
    a_renewal_does_not_escape,
    a_reader_who_lags_is_not_sent_the_rest,
];

const FORBIDDEN: &str = "gateway_sessions_closed_total{code=\"4403\"}";
const REFUSED: &str = "gateway_handshakes_rejected_total{reason=\"token_revoked\"}";

fn anna() -> Token {
    Token::user("acme", "anna").claim("jti", json!("t-1")).claim("iat", json!(now() - 60))
}

fn bruno() -> String {
    Token::user("acme", "bruno").sign()
}

pub(super) async fn revoke(api: &Api, body: Value) -> Response {
    api.post("/v1/revocations", &Token::admin("*").sign(), &body).await
}

async fn expect_revoked(api: &Api, body: Value) {
    let answer = revoke(api, body.clone()).await;
    assert_eq!(answer.json()["revoked"], body, "{answer:?}");
}

/// At no door, however good the token is otherwise.
pub(super) async fn expect_refused(api: &Api, token: &str) {
    api.knock(token).await.expect_problem(403, "revoked");
    for path in ["/v1/sse", "/v1/poll?wait=0", "/v1/events"] {
        api.get(path, token).await.expect_problem(403, "revoked");
    }
}

async fn a_user_who_is_cut_off_loses_every_session_and_is_let_in_nowhere(backplane: Backplane) {
    let site = backplane.start().await;
    let start = site.publish(&event("acme", "devis:signed", 0)).await;
    let mut socket = site.connect(&anna().sign()).await;
    let mut stream = site.stream(&anna().claim("jti", json!("t-2")).sign()).await;
    let mut poll = RawSession::silent(&site).await;
    let request = Request::get(&format!("/v1/poll?wait=55&lastEventId={start}")).bearer(&anna().sign());
    poll.send(&request.encode(site.public)).await;
    let mut witness = site.connect(&bruno()).await;
    let mut namesake = site.connect(&Token::user("other", "anna").sign()).await;
    site.metric_becomes("gateway_connections{state=\"active\"}", 5.0).await;

    expect_revoked(&site, json!({ "companyId": "acme", "userId": "anna" })).await;

    assert_eq!(socket.expect_close().await, CloseCode::Forbidden.code());
    assert_eq!(stream.expect_error_and_end().await, "forbidden");
    poll.expect_answer().await.expect_problem(403, "revoked");
    expect_refused(&site, &anna().sign()).await;
    let service = anna().claim("scope", json!("publish")).sign();
    site.post("/v1/events", &service, &event("acme", "devis:signed", 9)).await.expect_problem(403, "revoked");
    site.publish_all(&json!([event("acme", "devis:signed", 1), event("other", "devis:signed", 2)])).await;
    assert_eq!((n(&witness.event().await), n(&namesake.event().await)), (1, 2));
    site.metric_becomes("gateway_revocations", 1.0).await;
    // The poll that waited, four doors, and the publish.
    site.metric_becomes(REFUSED, 6.0).await;
    site.metric_becomes(FORBIDDEN, 2.0).await;
}

async fn a_token_that_is_cut_off_leaves_its_users_others_alone(backplane: Backplane) {
    let site = backplane.start().await;
    let lost = anna().sign();
    let kept = anna().claim("jti", json!("t-2")).sign();
    let (mut phone, mut laptop) = (site.connect(&lost).await, site.connect(&kept).await);
    let mut plain = site.connect(&anna().without("jti").sign()).await;

    expect_revoked(&site, json!({ "jti": "t-1" })).await;

    assert_eq!(phone.expect_close().await, CloseCode::Forbidden.code());
    expect_refused(&site, &lost).await;
    // It stays one token, whatever it says of its birth.
    expect_refused(&site, &anna().claim("iat", json!(now() + 600)).sign()).await;
    assert_eq!(site.knock(&kept).await.status, 101);
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!((n(&laptop.event().await), n(&plain.event().await)), (1, 1));
}

async fn a_company_that_is_cut_off_is_out_and_no_other(backplane: Backplane) {
    let site = backplane.start().await;
    let (mut anna_, mut bruno_) = (site.connect(&anna().sign()).await, site.connect(&bruno()).await);
    let mut other = site.connect(&Token::user("acme2", "anna").sign()).await;

    expect_revoked(&site, json!({ "companyId": "acme" })).await;

    assert_eq!(anna_.expect_close().await, CloseCode::Forbidden.code());
    assert_eq!(bruno_.expect_close().await, CloseCode::Forbidden.code());
    expect_refused(&site, &bruno()).await;
    let own = site.post("/v1/events", &Token::service("acme").sign(), &event("acme", "devis:signed", 1)).await;
    own.expect_problem(403, "revoked");
    site.publish(&event("acme2", "devis:signed", 2)).await;
    assert_eq!(n(&other.event().await), 2);
}

async fn of_several_conditions_all_must_hold(backplane: Backplane) {
    let site = backplane.start().await;
    let service = |user: &str| Token::service("*").claim("sub", json!(user)).sign();
    for target in [
        json!({ "companyId": "acme", "userId": "bruno", "jti": "t-1" }),
        json!({ "companyId": "other", "jti": "t-1" }),
        json!({ "userId": "bruno", "jti": "t-1" }),
    ] {
        expect_revoked(&site, target).await;
    }
    assert_eq!(site.knock(&anna().sign()).await.status, 101);
    expect_revoked(&site, json!({ "companyId": "acme", "userId": "anna", "jti": "t-1" })).await;
    expect_refused(&site, &anna().sign()).await;

    // Without a company, the user of this name in each, and the service.
    let batch = || event("acme", "devis:signed", 1);
    assert_eq!(site.post("/v1/events", &service("billing"), &batch()).await.status, 200);
    expect_revoked(&site, json!({ "userId": "billing" })).await;
    site.post("/v1/events", &service("billing"), &batch()).await.expect_problem(403, "revoked");
    expect_refused(&site, &Token::user("other", "billing").sign()).await;
    assert_eq!(site.post("/v1/events", &service("mail"), &batch()).await.status, 200);
}

async fn who_signs_in_again_is_let_in(backplane: Backplane) {
    let site = backplane.start().await;
    expect_revoked(&site, json!({ "companyId": "acme", "userId": "anna" })).await;

    for (iat, status) in [(-60, 403), (0, 403), (4, 403), (20, 101)] {
        assert_eq!(
            site.knock(&anna().claim("iat", json!(now() + iat)).sign()).await.status,
            status,
            "issued {iat} s later"
        );
    }
    expect_refused(&site, &anna().without("iat").sign()).await;

    let mut again = site.connect(&anna().claim("iat", json!(now() + 20)).sign()).await;
    expect_revoked(&site, json!({ "companyId": "other" })).await;
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&again.event().await), 1, "another's revocation looks through the sessions, and leaves this one");
}

async fn a_revocation_ends_when_it_says(backplane: Backplane) {
    let site = backplane.start().await;
    let until = chrono::DateTime::from_timestamp(now() + 2, 0).unwrap();
    let answer = revoke(&site, json!({ "jti": "t-1", "until": until })).await.json();
    assert_eq!(answer["until"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap(), until);
    let default = revoke(&site, json!({ "jti": "t-2" })).await.json();
    let default: chrono::DateTime<chrono::Utc> = default["until"].as_str().unwrap().parse().unwrap();
    assert!((default.timestamp() - now() - 7 * 24 * 3600).abs() < 5, "{default}");

    expect_refused(&site, &anna().sign()).await;
    eventually("the end of the revocation", async || match site.knock(&anna().sign()).await {
        open if open.status == 101 => Ok(()),
        refused => Err(refused.body),
    })
    .await;
}

async fn a_token_of_one_company_cuts_off_nobody_elsewhere(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna_ = site.connect(&anna().sign()).await;
    let mut namesake = site.connect(&anna().claim("companyId", json!("other")).sign()).await;
    let admin = Token::admin("other").sign();

    for target in [json!({ "companyId": "acme" }), json!({ "companyId": "acme", "userId": "anna" })] {
        site.post("/v1/revocations", &admin, &target).await.expect_problem(403, "forbidden");
    }
    for target in [json!({ "userId": "anna" }), json!({ "jti": "t-1" })] {
        let answer = site.post("/v1/revocations", &admin, &target).await.json();
        assert_eq!(answer["revoked"]["companyId"], "other", "{answer}");
    }

    assert_eq!(namesake.expect_close().await, CloseCode::Forbidden.code());
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&anna_.event().await), 1);
    assert_eq!(site.knock(&anna().sign()).await.status, 101);
}

async fn a_request_that_is_not_clear_cuts_nobody_off(backplane: Backplane) {
    let site = backplane.start().await;
    let body = json!({ "userId": "anna" });
    for (token, status, code) in [
        (anna().sign(), 403, "forbidden"),
        (Token::service("*").sign(), 403, "forbidden"),
        ("nonsense".to_owned(), 401, "unauthorized"),
        (Token::admin("*").expires_in(-60).sign(), 401, "unauthorized"),
    ] {
        site.post("/v1/revocations", &token, &body).await.expect_problem(status, code);
    }
    for body in [
        json!({}),
        json!([]),
        json!({ "companyId": "*" }),
        json!({ "companyId": "acme", "userid": "anna" }),
        json!({ "userId": "" }),
        json!({ "userId": null }),
        json!({ "jti": 1 }),
        json!({ "userId": "anna", "until": "yesterday" }),
        json!({ "userId": "anna", "until": "2020-01-01T00:00:00Z" }),
        json!({ "userId": "anna", "until": "2999-01-01T00:00:00Z" }),
    ] {
        let answer = revoke(&site, body.clone()).await;
        assert_eq!((answer.status, &*answer.problem_code()), (400, "invalid_revocation"), "{body}: {answer:?}");
    }
    let long = json!({ "userId": "x".repeat(20_000) });
    revoke(&site, long).await.expect_problem(413, "payload_too_large");
    let get = Request::get("/v1/revocations").bearer(&Token::admin("*").sign());
    site.send(get).await.expect_problem(405, "method_not_allowed");
    assert_eq!(site.metric("gateway_revocations").await, 0.0);
    assert_eq!(site.knock(&anna().sign()).await.status, 101);
}

#[tokio::test]
async fn a_token_that_could_outlive_its_revocation_is_reported_once() {
    let gateway = Launch::new().set("GATEWAY_REVOCATION_SECS", "600").start().await;
    let warnings = || gateway.log().iter().filter(|line| line.contains("GATEWAY_REVOCATION_SECS")).count();
    assert_eq!(gateway.knock(&anna().expires_in(500).sign()).await.status, 101);
    assert_eq!(warnings(), 0);
    for _ in 0..3 {
        assert_eq!(gateway.knock(&anna().sign()).await.status, 101);
    }
    eventually("a warning", async || if warnings() > 0 { Ok(()) } else { Err("none") }).await;
    assert_eq!(warnings(), 1);
}

async fn a_renewal_does_not_escape(backplane: Backplane) {
    let site = backplane.start().await;
    let mut session = site.connect(&Token::user("acme", "anna").claim("jti", json!("t-0")).sign()).await;
    expect_revoked(&site, json!({ "jti": "t-1" })).await;

    session.send(&json!({ "frame": "auth", "token": anna().sign() })).await;
    assert_eq!(session.expect_close().await, CloseCode::Forbidden.code());
    site.metric_becomes("gateway_renewals_total{result=\"token_revoked\"}", 1.0).await;

    // And a session is what its newest token says.
    let mut session = site.connect(&Token::user("acme", "anna").claim("jti", json!("t-0")).sign()).await;
    session.send(&json!({ "frame": "auth", "token": anna().claim("jti", json!("t-3")).sign() })).await;
    session.send(&json!({ "frame": "ping" })).await;
    assert_eq!(session.frame().await, shared::ServerFrame::Pong {});
    expect_revoked(&site, json!({ "jti": "t-0" })).await;
    expect_revoked(&site, json!({ "jti": "t-3" })).await;
    assert_eq!(session.expect_close().await, CloseCode::Forbidden.code());
}

/// What waits in the queue of one who does not read is not theirs any more.
async fn a_reader_who_lags_is_not_sent_the_rest(backplane: Backplane) {
    let site = backplane.start().await;
    let start = site.publish(&event("acme", "devis:signed", 0)).await;
    let big = json!({ "companyId": "acme", "type": "devis:signed", "data": { "text": "x".repeat(60_000) } });
    for _ in 0..2 {
        site.publish_all(&json!(vec![big.clone(); 100])).await;
    }
    let mut socket = RawSession::open_narrow_from(&site, &anna().sign(), start).await;
    let request = Request::get("/v1/sse").bearer(&anna().sign()).header("Last-Event-ID", &start.to_string());
    let mut stream = Stream::open_narrow(&site, request).await;
    site.metric_becomes("gateway_deliveries_total", 400.0).await;

    expect_revoked(&site, json!({ "userId": "anna" })).await;
    let mut sent = 0;
    let code = loop {
        match socket.next().await.expect("it ended without a close frame").close_code() {
            Some(code) => break code,
            None => sent += 1,
        }
    };
    assert_eq!(code, CloseCode::Forbidden.code());
    assert!(sent < 150, "{sent} of 200 were sent");
    let mut streamed = 0;
    while let Some(message) = stream.message().await {
        streamed += usize::from(message.name == "event");
    }
    assert!(streamed < 150, "{streamed} of 200 were streamed");
}
