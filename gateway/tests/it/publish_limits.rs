//! `POST /v1/events`: what is wrong is named, what is repeated is stored once, and nobody publishes without end.

use serde_json::{Value, json};

use crate::support::{Backplane, Launch, Request, Response, Token, event, eventually, on_both_backplanes};

on_both_backplanes![
    a_mistake_is_pointed_at,
    an_idempotency_key_makes_a_request_repeatable,
    an_idempotency_key_that_is_none_is_refused,
    nobody_publishes_without_end,
];

/// Where the problem document says that the mistake is.
fn pointer(answer: &Response) -> String {
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors: {answer:?}"));
    assert_eq!(errors.len(), 1, "{answer:?}");
    let detail = errors[0]["detail"].as_str().unwrap_or_else(|| panic!("no detail: {answer:?}"));
    let pointer = errors[0]["pointer"].as_str().unwrap_or_else(|| panic!("no pointer: {answer:?}"));
    let whole = problem["detail"].as_str().unwrap();
    assert!(!detail.is_empty() && whole.ends_with(detail), "{answer:?}");
    let member = pointer.rsplit('/').next().unwrap();
    assert!(!detail.starts_with(&format!("{member}:")) && !detail.starts_with("event "), "said twice: {answer:?}");
    pointer.to_owned()
}

async fn a_mistake_is_pointed_at(backplane: Backplane) {
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
    let deep = (0..100).fold(json!(1), |inside, _| json!([inside]));
    let cases = [
        (without("companyId"), "companyId"),
        (without("type"), "type"),
        (without("data"), "data"),
        (with("companyId", json!("a b")), "companyId"),
        (with("companyId", json!(null)), "companyId"),
        (with("type", json!("devis")), "type"),
        (with("type", json!(["devis:signed"])), "type"),
        (with("eventId", json!("a b")), "eventId"),
        (with("eventId", json!(7)), "eventId"),
        (with("time", json!("yesterday")), "time"),
        (with("data", deep), "data"),
        (with("eventID", json!("e-1")), "eventID"),
        (with("source", json!("/billing")), "source"),
    ];
    for (bad, member) in &cases {
        let alone = site.try_publish(bad).await;
        alone.expect_problem(400, "invalid_event");
        assert_eq!(pointer(&alone), format!("#/{member}"), "{bad}");
        let batch = site.try_publish(&json!([good, good, bad])).await;
        batch.expect_problem(400, "invalid_event");
        assert_eq!(pointer(&batch), format!("#/2/{member}"), "{bad}");
    }
    let odd = with("a/b~c", json!(1));
    for (bad, place) in
        [(json!("devis:signed"), "#"), (json!([odd]), "#/0"), (json!([good, 7]), "#/1"), (json!([]), "#")]
    {
        assert_eq!(pointer(&site.try_publish(&bad).await), place, "{bad}");
    }
    let twice = r#"[{"companyId":"acme","type":"devis:signed","data":1,"data":2}]"#;
    let request = Request::new("POST", "/v1/events").bearer(&Token::service("*").sign()).body(twice);
    assert_eq!(pointer(&site.send(request).await), "#/0/data");
    let late = site.try_publish(&with("time", json!("hier"))).await;
    assert!(late.body.contains("RFC 3339"), "{late:?}");
    for time in ["-0001-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01", "2016-12-31T23:59:60Z"] {
        assert_eq!(pointer(&site.try_publish(&with("time", json!(time))).await), "#/time", "{time}");
    }
    for (bad, says) in [(json!([[]]), "event 0: invalid type"), (with("", json!(1)), "a member is not known")] {
        let answer = site.try_publish(&bad).await;
        assert!(answer.body.contains(says) && !answer.body.contains(" at line "), "{answer:?}");
    }
    let big = with("data", json!("x".repeat(shared::MAX_EVENT_BYTES)));
    assert_eq!(pointer(&site.try_publish(&json!([good, big])).await), "#/1/data");
    let foreign = site.post("/v1/events", &Token::service("other").sign(), &json!([good])).await;
    foreign.expect_problem(403, "forbidden");
    assert_eq!(pointer(&foreign), "#/0/companyId");
    let refused = site.metric("gateway_publishes_refused_total{reason=\"invalid_event\"}").await;
    assert!(refused >= 2.0 * cases.len() as f64, "{refused}");
    assert_eq!(site.try_publish(&with("data", json!(null))).await.status, 200, "no data is data");
}

async fn an_idempotency_key_makes_a_request_repeatable(backplane: Backplane) {
    let site = backplane.start().await;
    let post = async |key: &str, body: &Value| {
        let request = Request::new("POST", "/v1/events").bearer(&Token::service("*").sign()).json(body);
        let answer = site.send(request.header("Idempotency-Key", key)).await.json();
        let results = answer["results"].as_array().unwrap().clone();
        results.into_iter().map(|one| (one["id"].clone(), one["duplicate"].as_bool().unwrap())).collect::<Vec<_>>()
    };
    let one = event("acme", "devis:signed", 1);
    let first = post("order-7", &one).await;
    assert!(!first[0].1);
    for again in ["order-7", "\"order-7\""] {
        assert_eq!(post(again, &one).await, [(first[0].0.clone(), true)], "{again}");
    }
    // The key is the event id, so either may be used to repeat the other.
    let mut named = one.clone();
    named["eventId"] = json!("order-7");
    assert_eq!(site.publish_all(&named).await[0].0.to_string(), first[0].0.as_str().unwrap());

    let mut own = event("acme", "devis:signed", 4);
    own["eventId"] = json!("of-its-own");
    let batch = json!([event("acme", "devis:signed", 2), event("acme", "devis:signed", 3), own]);
    let stored = post("batch-8", &batch).await;
    assert!(stored.iter().all(|(_, duplicate)| !duplicate), "{stored:?}");
    let again = post("batch-8", &batch).await;
    assert_eq!(again, stored.iter().map(|(id, _)| (id.clone(), true)).collect::<Vec<_>>());
    assert_eq!(post("of-its-own", &one).await, [(stored[2].0.clone(), true)], "an event's own id goes first");
}

async fn an_idempotency_key_that_is_none_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    for key in ["", "a b", "\"", &"x".repeat(129)] {
        let request = Request::new("POST", "/v1/events").bearer(&Token::service("*").sign());
        let answer = site.send(request.header("Idempotency-Key", key).json(&event("acme", "devis:signed", 1))).await;
        answer.expect_problem(400, "invalid_idempotency_key");
    }
    let batch = json!([event("acme", "devis:signed", 1)]);
    let request = Request::new("POST", "/v1/events").bearer(&Token::service("*").sign()).json(&batch);
    let no_room = site.send(request.header("Idempotency-Key", &"x".repeat(128))).await;
    no_room.expect_problem(400, "invalid_idempotency_key");
}

async fn nobody_publishes_without_end(backplane: Backplane) {
    let site = backplane.start_with(Launch::new().set("GATEWAY_PUBLISHES_PER_SECOND", "50")).await;
    let batch: Vec<Value> = (0..100).map(|number| event("acme", "devis:signed", number)).collect();
    let publish = |service: &str| {
        let token = Token::service("acme").claim("sub", json!(service)).sign();
        let (api, batch) = (**site, json!(batch));
        async move { api.post("/v1/events", &token, &batch).await }
    };
    assert_eq!(publish("billing").await.status, 200, "a full batch always fits");

    let refused = publish("billing").await;

    refused.expect_problem(429, "too_many_publishes");
    let retry_after = refused.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(retry_after.is_some_and(|seconds| (1..=3).contains(&seconds)), "{refused:?}");
    site.metric_becomes("gateway_publishes_refused_total{reason=\"publish_rate\"}", 1.0).await;
    assert_eq!(publish("stock").await.status, 200, "another service is another matter");
    eventually("the next batch", async || match publish("billing").await.status {
        200 => Ok(()),
        status => Err(status),
    })
    .await;
}
