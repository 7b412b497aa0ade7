//! What a session receives is bounded by its token and narrowed by its wish.

use serde_json::json;
use shared::Resume;

use crate::support::{Api, Backplane, Request, Token, event, n, on_both_backplanes};

on_both_backplanes![
    a_session_receives_the_types_that_it_asked_for,
    a_token_bounds_what_its_session_receives,
    a_wish_never_widens_what_the_token_allows,
    a_filter_holds_for_recovered_events,
    an_empty_list_in_the_token_allows_nothing,
    a_malformed_filter_is_refused,
    a_filter_may_have_64_patterns,
];

/// One event of each of these types, numbered from 0.
const TYPES: [&str; 6] =
    ["devis:created", "devis:signed", "facture:created", "facture:paid", "message:received", "devis-old:signed"];

async fn publish_each_type(api: &Api, company: &str) {
    let events: Vec<_> = (0..).zip(TYPES).map(|(number, name)| event(company, name, number)).collect();
    api.publish_all(&json!(events)).await;
}

async fn a_session_receives_the_types_that_it_asked_for(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    let wishes: [(&str, &[u64]); 5] = [
        ("devis:*,the:end", &[0, 1]),
        ("devis:signed,facture:*,the:*", &[1, 2, 3]),
        ("devis%3A%2A%2Cfacture%3Apaid,the:end", &[0, 1, 3]),
        ("*", &[0, 1, 2, 3, 4, 5]),
        ("the:end", &[]),
    ];
    let mut sessions = vec![];
    for (types, _) in wishes {
        sessions.push(site.open(&format!("/v1/ws?types={types}"), &token).await);
    }

    for _ in 0..3 {
        publish_each_type(&site, "acme").await;
    }
    site.publish(&event("acme", "the:end", 99)).await;

    for (session, (types, expected)) in sessions.iter_mut().zip(wishes) {
        for number in expected.repeat(3).into_iter().chain([99]) {
            assert_eq!(n(&session.event().await), number, "{types}");
        }
    }
}

async fn a_token_bounds_what_its_session_receives(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").claim("events", json!(["facture:paid", "message:*"])).sign();
    let mut anna = site.connect(&token).await;

    publish_each_type(&site, "acme").await;
    publish_each_type(&site, "acme").await;

    assert_eq!(anna.events(4).await.iter().map(n).collect::<Vec<_>>(), [3, 4, 3, 4]);
}

async fn a_wish_never_widens_what_the_token_allows(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").claim("events", json!(["facture:*"])).sign();
    let mut everything = site.open("/v1/ws?types=*", &token).await;
    let mut other_noun = site.open("/v1/ws?types=devis:*,facture:paid", &token).await;

    publish_each_type(&site, "acme").await;
    publish_each_type(&site, "acme").await;

    assert_eq!(everything.events(4).await.iter().map(n).collect::<Vec<_>>(), [2, 3, 2, 3]);
    assert_eq!(other_noun.events(2).await.iter().map(n).collect::<Vec<_>>(), [3, 3]);
}

async fn a_filter_holds_for_recovered_events(backplane: Backplane) {
    let site = backplane.start().await;
    let start = site.publish(&event("acme", "devis:created", 100)).await;
    publish_each_type(&site, "acme").await;
    let token = Token::user("acme", "anna").claim("events", json!(["devis:*", "facture:*"])).sign();

    let mut anna = site.open(&format!("/v1/ws?types=facture:*&lastEventId={start}"), &token).await;
    let mut bruno = site.connect_from(&token, start).await;
    publish_each_type(&site, "acme").await;

    assert_eq!((anna.welcome.resume, bruno.welcome.resume), (Resume::Recovered, Resume::Recovered));
    assert_eq!(anna.events(4).await.iter().map(n).collect::<Vec<_>>(), [2, 3, 2, 3]);
    assert_eq!(bruno.events(8).await.iter().map(n).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1, 2, 3]);
}

async fn an_empty_list_in_the_token_allows_nothing(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").claim("events", json!([])).sign();
    let mut anna = site.open("/v1/ws?types=*", &token).await;
    let mut witness = site.connect(&Token::user("acme", "bruno").sign()).await;

    publish_each_type(&site, "acme").await;

    witness.events(TYPES.len()).await;
    // There is no event that could end the wait; what the witness has, the others had a chance to get.
    anna.send(&json!({ "frame": "ping" })).await;
    assert_eq!(anna.frame().await, shared::ServerFrame::Pong {});
}

async fn a_malformed_filter_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    for types in ["devis", ":", "devis:", "*:signed", "de*:x", "a:b,,c:d", "a:b,", "A:b", "a:b:c", "devis:%2A%2A"] {
        let request = Request::upgrade(&format!("/v1/ws?types={types}")).bearer(&token);
        site.send(request).await.expect_problem(400, "invalid_types");
    }
}

async fn a_filter_may_have_64_patterns(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    let patterns = |count: usize| (0..count).map(|index| format!("noun{index}:*")).collect::<Vec<_>>().join(",");

    let mut anna = site.open(&format!("/v1/ws?types={}", patterns(64)), &token).await;
    site.publish_all(&json!([event("acme", "noun64:done", 1), event("acme", "noun63:done", 2)])).await;
    assert_eq!(n(&anna.event().await), 2);
    for (path, upgrade) in [("ws", true), ("sse", false), ("poll", false), ("events", false)] {
        let path = format!("/v1/{path}?types={}", patterns(65));
        let request = if upgrade { Request::upgrade(&path) } else { Request::get(&path) };
        site.send(request.bearer(&token)).await.expect_problem(400, "invalid_types");
    }
}
