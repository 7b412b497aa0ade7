//! `GET /v1/events`: what a screen shows first, and the place to go on from.

use serde_json::{Value, json};
use shared::{Cursor, Resume};

use crate::support::{Backplane, Response, Token, event, n, on_both_backplanes};

on_both_backplanes![
    an_empty_log_answers_with_a_place_to_go_on_from,
    the_newest_events_come_oldest_first,
    the_limit_has_a_default_and_a_maximum,
    a_session_that_goes_on_from_the_history_misses_nothing,
    the_history_shows_what_the_token_allows,
    a_filter_finds_what_stands_behind_many_others,
    the_history_is_of_the_tokens_company,
];

/// The numbers in an answer and the cursor to go on from.
fn read(response: &Response) -> (Vec<u64>, Cursor) {
    let body = response.json();
    let events = body["events"].as_array().unwrap_or_else(|| panic!("no events: {body}"));
    let numbers = events.iter().map(|event: &Value| {
        assert_eq!(event["frame"], "event");
        n(&serde_json::from_value(event.clone()).unwrap())
    });
    (numbers.collect(), body["lastEventId"].as_str().unwrap().parse().unwrap())
}

async fn an_empty_log_answers_with_a_place_to_go_on_from(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();

    let (numbers, cursor) = read(&site.get("/v1/events", &token).await);
    site.publish_numbered("acme", 0..2).await;
    let mut anna = site.connect_from(&token, cursor).await;

    assert!(numbers.is_empty());
    assert_eq!(anna.welcome.resume, Resume::Recovered);
    assert_eq!(anna.events(2).await.iter().map(n).collect::<Vec<_>>(), [0, 1]);
}

async fn the_newest_events_come_oldest_first(backplane: Backplane) {
    let site = backplane.start().await;
    let cursors = site.publish_numbered("acme", 0..20).await;
    let token = Token::user("acme", "anna").sign();

    let few = read(&site.get("/v1/events?limit=5", &token).await);
    let all = read(&site.get("/v1/events?limit=1000", &token).await);

    assert_eq!(few, ((15..20).collect(), cursors[19]));
    assert_eq!(all, ((0..20).collect(), cursors[19]));
}

async fn the_limit_has_a_default_and_a_maximum(backplane: Backplane) {
    let site = backplane.start().await;
    site.publish_numbered("acme", 0..1_050).await;
    let token = Token::user("acme", "anna").sign();

    assert_eq!(read(&site.get("/v1/events", &token).await).0, (1_000..1_050).collect::<Vec<_>>());
    assert_eq!(read(&site.get("/v1/events?limit=1000", &token).await).0, (50..1_050).collect::<Vec<_>>());
    let above = site.get("/v1/events?limit=1001", &token).await;
    // Whether more than the maximum is an error or is cut is not written down; more never comes.
    match above.status {
        200 => assert_eq!(read(&above).0.len(), 1_000),
        _ => above.expect_problem(400, "bad_request"),
    }
    for limit in ["x", "-1", "99999999999999999999999"] {
        site.get(&format!("/v1/events?limit={limit}"), &token).await.expect_problem(400, "bad_request");
    }
}

async fn a_session_that_goes_on_from_the_history_misses_nothing(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    let api = **site;
    let publisher = tokio::spawn(async move {
        for start in (0..300).step_by(3) {
            api.publish_numbered("acme", start..start + 3).await;
        }
    });

    let (mut numbers, cursor) = read(&site.get("/v1/events?limit=1000", &token).await);
    let mut anna = site.connect_from(&token, cursor).await;

    assert_eq!((anna.welcome.resume, anna.welcome.last_event_id), (Resume::Recovered, cursor));
    while numbers.len() < 300 {
        numbers.push(n(&anna.event().await));
    }
    assert_eq!(numbers, (0..300).collect::<Vec<_>>());
    publisher.await.unwrap();
}

async fn the_history_shows_what_the_token_allows(backplane: Backplane) {
    let site = backplane.start().await;
    let events = [event("acme", "devis:signed", 0), event("acme", "facture:paid", 1), event("acme", "devis:signed", 2)];
    let results = site.publish_all(&json!(events)).await;
    let token = Token::user("acme", "anna").claim("events", json!(["facture:*"])).sign();

    let (numbers, cursor) = read(&site.get("/v1/events", &token).await);

    assert_eq!(numbers, [1]);
    assert_eq!(cursor, results[2].0, "the place is that of the log, not of what may be seen");
}

async fn a_filter_finds_what_stands_behind_many_others(backplane: Backplane) {
    let site = backplane.start().await;
    let paid: Vec<Value> = (0..5).map(|number| event("acme", "facture:paid", number)).collect();
    site.publish_all(&json!(paid)).await;
    let last = site.publish_numbered("acme", 5..65).await[59];
    let token = Token::user("acme", "anna");
    let bounded = token.clone().claim("events", json!(["facture:*"])).sign();

    for (path, token) in [("/v1/events?limit=3&types=facture:paid", token.sign()), ("/v1/events?limit=3", bounded)] {
        assert_eq!(read(&site.get(path, &token).await), (vec![2, 3, 4], last), "{path}");
    }
}

async fn the_history_is_of_the_tokens_company(backplane: Backplane) {
    let site = backplane.start().await;
    site.publish_numbered("other", 100..105).await;
    site.publish_numbered("acme", 0..2).await;
    let token = Token::user("acme", "anna").sign();

    for path in ["/v1/events", "/v1/events?companyId=other", "/v1/events?company=other"] {
        assert_eq!(read(&site.get(path, &token).await).0, [0, 1], "{path}");
    }
    site.get("/v1/events", "no.token.here").await.expect_problem(401, "unauthorized");
    site.get("/v1/events", &Token::service("*").sign()).await.expect_problem(403, "forbidden");
}
