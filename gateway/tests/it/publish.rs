//! `POST /v1/events`: who may publish what.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Backplane, Request, Token, event, n, on_both_backplanes, timed};

on_both_backplanes![
    publishing_needs_a_token_with_the_scope,
    a_stranger_is_refused_before_its_body_is_read,
    a_service_publishes_for_its_own_company_alone,
    a_malformed_event_is_refused,
    a_body_that_is_not_json_is_refused,
    an_event_that_is_too_big_is_refused,
    a_batch_that_is_too_long_is_refused,
    a_batch_with_one_bad_event_publishes_none_of_it,
    what_is_not_there_is_a_problem_document_too,
];

async fn publishing_needs_a_token_with_the_scope(backplane: Backplane) {
    let site = backplane.start().await;
    let body = event("acme", "devis:signed", 1);

    site.send(Request::new("POST", "/v1/events").json(&body)).await.expect_problem(401, "unauthorized");
    site.post("/v1/events", "not.a.token", &body).await.expect_problem(401, "unauthorized");
    let user = Token::user("acme", "anna");
    site.post("/v1/events", &user.sign(), &body).await.expect_problem(403, "forbidden");
    for scope in ["", "admin", "publisher", "nopublish", "PUBLISH", "publish,admin"] {
        let token = user.clone().claim("scope", json!(scope)).sign();
        site.post("/v1/events", &token, &body).await.expect_problem(403, "forbidden");
    }
    let token = user.claim("scope", json!("admin publish")).sign();
    assert_eq!(site.post("/v1/events", &token, &body).await.status, 200);
}

async fn a_stranger_is_refused_before_its_body_is_read(backplane: Backplane) {
    let site = backplane.start().await;
    let post = || Request::new("POST", "/v1/events").header("Content-Length", "6000000");
    let user = Token::user("acme", "anna").sign();

    for (request, status, code) in [(post(), 401, "unauthorized"), (post().bearer(&user), 403, "forbidden")] {
        // Of the body only the beginning comes, and the connection stays open.
        for begun in [0, 100, 100_000] {
            let (refused, took) = timed(request.clone().unfinished(&vec![b' '; begun]).send(site.public)).await;
            refused.expect_problem(status, code);
            assert!(took < Duration::from_secs(2), "after {begun} bytes it took {took:?}");
        }
    }
}

async fn a_service_publishes_for_its_own_company_alone(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let own = Token::service("acme").sign();
    let foreign = Token::service("other").sign();

    site.post("/v1/events", &foreign, &event("acme", "devis:signed", 1)).await.expect_problem(403, "forbidden");
    let batch = json!([event("other", "devis:signed", 2), event("acme", "devis:signed", 3)]);
    site.post("/v1/events", &foreign, &batch).await.expect_problem(403, "forbidden");
    assert_eq!(site.post("/v1/events", &own, &event("acme", "devis:signed", 4)).await.status, 200);

    assert_eq!(n(&anna.event().await), 4);
}

async fn a_malformed_event_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    let good = event("acme", "devis:signed", 1);
    let with = |name: &str, value: Value| {
        let mut bad = good.clone();
        bad[name] = value;
        bad
    };
    let without = |name: &str| {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(name);
        bad
    };
    let long = "x".repeat(129);
    let bad = [
        without("companyId"),
        without("type"),
        without("data"),
        with("companyId", json!("*")),
        with("companyId", json!("")),
        with("companyId", json!("acme:x")),
        with("companyId", json!("a".repeat(65))),
        with("companyId", json!(7)),
        with("type", json!("devis")),
        with("type", json!("Devis:signed")),
        with("type", json!("devis:signed now")),
        with("type", json!("devis:signed\r\nPUBLISH company:other x")),
        with("type", json!(null)),
        with("eventId", json!("")),
        with("eventId", json!("a b")),
        with("eventId", json!(long)),
        with("time", json!("yesterday")),
        json!("devis:signed"),
        json!([[good.clone()]]),
    ];
    for body in bad {
        let response = site.try_publish(&body).await;
        assert_eq!((response.status, response.problem_code().as_str()), (400, "invalid_event"), "{body}: {response:?}");
    }
}

async fn a_body_that_is_not_json_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::service("*").sign();
    let nested = "[".repeat(100_000);
    for body in ["", "{", "companyId=acme&type=devis:signed", "{\"companyId\":\"acme\u{0}\"}", nested.as_str()] {
        let request = Request::new("POST", "/v1/events").bearer(&token).header("Content-Type", "application/json");
        let response = site.send(request.body(body)).await;
        let code = response.problem_code();
        assert_eq!(response.status, 400, "{response:?}");
        assert!(["bad_request", "invalid_event"].contains(&code.as_str()), "{response:?}");
    }
}

async fn an_event_that_is_too_big_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    for length in [shared::MAX_EVENT_BYTES, 1024 * 1024, 20 * 1024 * 1024] {
        let body = json!({ "companyId": "acme", "type": "devis:signed", "data": { "text": "x".repeat(length) } });
        site.try_publish(&body).await.expect_problem(413, "payload_too_large");
    }
    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&anna.event().await), 1);
}

async fn a_batch_that_is_too_long_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    let batch: Vec<_> = (0..101).map(|number| event("acme", "devis:signed", number)).collect();

    let response = site.try_publish(&json!(batch)).await;

    assert_eq!(response.problem_code(), "too_many_events");
    assert!([400, 413].contains(&response.status), "{response:?}");
    assert_eq!(site.publish_all(&json!(batch[..100])).await.len(), 100);
}

async fn a_batch_with_one_bad_event_publishes_none_of_it(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let batch = json!([event("acme", "devis:signed", 1), event("acme", "devis signed", 2)]);

    site.try_publish(&batch).await.expect_problem(400, "invalid_event");
    site.publish(&event("acme", "devis:signed", 3)).await;

    assert_eq!(n(&anna.event().await), 3);
}

async fn what_is_not_there_is_a_problem_document_too(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::service("*").sign();
    for path in ["/v1/nothing", "/v2/ws", "/v1/events/1", "/metrics", "/livez", "/readyz"] {
        site.get(path, &token).await.expect_problem(404, "not_found");
    }
    for (method, path) in [("DELETE", "/v1/events"), ("PUT", "/v1/events")] {
        let response = site.send(Request::new(method, path).bearer(&token)).await;
        response.expect_problem(405, "method_not_allowed");
    }
}
