//! Caps per company and per user: the same for every transport, on all replicas together.

use futures_util::future::join_all;

use crate::support::{
    Backplane, Client, Gateway, Launch, Redis, Request, Response, Stream, Token, eventually, on_both_backplanes,
};

on_both_backplanes![
    a_company_has_as_many_connections_as_it_may,
    a_user_has_as_many_connections_as_they_may,
    a_poll_counts_while_it_hangs,
];

const PER_COMPANY: &str = "GATEWAY_MAX_CONNECTIONS_PER_COMPANY";
const PER_USER: &str = "GATEWAY_MAX_CONNECTIONS_PER_USER";
const REFUSED: &str = "gateway_handshakes_rejected_total{reason=\"company_connections\"}";
const ACTIVE: &str = "gateway_connections{state=\"active\"}";

fn token(company: &str, user: &str) -> String {
    Token::user(company, user).sign()
}

async fn replica(redis: &Redis, company: &str) -> Gateway {
    let registered = async || redis.command::<usize>(&["SCARD", "gateway:{quota}:replicas"]).await;
    let before = registered().await;
    let gateway = Launch::new().redis(redis).set(PER_COMPANY, company).start().await;
    eventually("its place in the ledger", async || match registered().await {
        now if now > before => Ok(()),
        now => Err(now),
    })
    .await;
    gateway
}

fn expect_too_many(refused: &Response) {
    refused.expect_problem(429, "too_many_connections");
    let retry_after = refused.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(retry_after.is_some_and(|seconds| seconds > 0), "{refused:?}");
}

/// Opens a session as soon as there is room for it.
async fn connect_when_possible(gateway: &Gateway, token: &str) -> Client {
    eventually("room", async || match gateway.get("/v1/poll?wait=0", token).await {
        there if there.status == 200 => Ok(()),
        full => Err(full.body),
    })
    .await;
    gateway.connect(token).await
}

async fn a_company_has_as_many_connections_as_it_may(backplane: Backplane) {
    let site = backplane.start_with(Launch::new().set(PER_COMPANY, "2")).await;
    let anna = site.connect(&token("acme", "anna")).await;
    let stream = Stream::open(&site, Request::get("/v1/sse").bearer(&token("acme", "bert"))).await;

    let third = token("acme", "carl");
    expect_too_many(&site.knock(&third).await);
    expect_too_many(&site.get("/v1/sse", &third).await);
    expect_too_many(&site.get("/v1/poll?wait=0", &third).await);
    site.metric_becomes(REFUSED, 3.0).await;
    let _other = site.connect(&token("other", "carl")).await;
    assert_eq!(site.get("/v1/events", &third).await.status, 200, "what does not stay is not counted");

    drop(stream);
    let third = connect_when_possible(&site, &third).await;
    drop((anna, third));
    let both = [token("acme", "dora"), token("acme", "emil")];
    let _dora = connect_when_possible(&site, &both[0]).await;
    connect_when_possible(&site, &both[1]).await;
}

async fn a_user_has_as_many_connections_as_they_may(backplane: Backplane) {
    let site = backplane.start_with(Launch::new().set(PER_USER, "1").set(PER_COMPANY, "3")).await;
    let anna = site.connect(&token("acme", "anna")).await;

    expect_too_many(&site.knock(&token("acme", "anna")).await);
    site.metric_becomes("gateway_handshakes_rejected_total{reason=\"user_connections\"}", 1.0).await;
    let _namesake = site.connect(&token("other", "anna")).await;
    let _bert = site.connect(&token("acme", "bert")).await;
    let _carl = site.connect(&token("acme", "carl")).await;
    expect_too_many(&site.knock(&token("acme", "dora")).await);
    site.metric_becomes(REFUSED, 1.0).await;

    anna.close().await;
    connect_when_possible(&site, &token("acme", "anna")).await;
}

async fn a_poll_counts_while_it_hangs(backplane: Backplane) {
    let site = backplane.start_with(Launch::new().set(PER_USER, "1")).await;
    let anna = token("acme", "anna");
    let hanging = tokio::spawn({
        let (api, anna) = (**site, anna.clone());
        async move { api.get("/v1/poll?wait=8", &anna).await }
    });
    site.metric_becomes(ACTIVE, 1.0).await;
    expect_too_many(&site.knock(&anna).await);

    site.publish(&crate::support::event("acme", "devis:signed", 1)).await;
    assert_eq!(hanging.await.unwrap().status, 200);
    connect_when_possible(&site, &anna).await;
}

#[tokio::test]
async fn replicas_count_together_however_many_come_at_once() {
    let redis = Redis::start().await;
    let replicas = [replica(&redis, "7").await, replica(&redis, "7").await, replica(&redis, "7").await];
    let knock = |number: usize| {
        let replica = &replicas[number % 3];
        async move { Stream::try_open(replica, Request::get("/v1/sse").bearer(&token("acme", &number.to_string()))).await }
    };
    let answers = join_all((0..30).map(knock)).await;

    let inside = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(inside, 7);
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(refused.clone().all(|head| head.status == 429), "{:?}", refused.collect::<Vec<_>>());
    drop(answers);
    connect_when_possible(&replicas[0], &token("acme", "late")).await;
}

#[tokio::test]
async fn what_a_replica_had_that_crashed_is_free_after_its_lease() {
    let redis = Redis::start().await;
    let (crashing, other) = (replica(&redis, "2").await, replica(&redis, "2").await);
    let _sessions = [crashing.connect(&token("acme", "a")).await, crashing.connect(&token("acme", "b")).await];
    expect_too_many(&other.knock(&token("acme", "c")).await);

    drop(crashing);

    expect_too_many(&other.knock(&token("acme", "c")).await);
    let hashes: Vec<String> = redis.command(&["KEYS", "gateway:{quota}:of:*"]).await;
    for hash in hashes {
        let lease: i64 = redis.command(&["PTTL", &hash]).await;
        assert!((1..=15_000).contains(&lease), "{hash} lasts {lease} ms");
        // As if the time had passed. The one that lives writes its own again.
        redis.command::<bool>(&["PEXPIRE", &hash, "0"]).await;
    }
    connect_when_possible(&other, &token("acme", "c")).await;
}

#[tokio::test]
async fn what_redis_forgets_it_is_told_again() {
    let redis = Redis::start().await;
    let (first, second) = (replica(&redis, "1").await, replica(&redis, "1").await);
    let _session = first.connect(&token("acme", "a")).await;
    expect_too_many(&second.knock(&token("acme", "b")).await);

    redis.command::<String>(&["FLUSHALL"]).await;

    let field = async || {
        let hashes: Vec<String> = redis.command(&["KEYS", "gateway:{quota}:of:*"]).await;
        for hash in &hashes {
            let count: Option<u32> = redis.command(&["HGET", hash, "c:acme"]).await;
            if count == Some(1) {
                return Ok(());
            }
        }
        Err(format!("{hashes:?}"))
    };
    eventually("the count's return", field).await;
    expect_too_many(&second.knock(&token("acme", "b")).await);
}

#[tokio::test]
async fn without_redis_the_replicas_own_count_applies_and_afterwards_no_more_stay_than_may() {
    let mut redis = Redis::start().await;
    let (first, second) = (replica(&redis, "3").await, replica(&redis, "3").await);
    let _before = [first.connect(&token("acme", "a")).await, first.connect(&token("acme", "b")).await];

    redis.kill();
    for gateway in [&first, &second] {
        gateway.metric_becomes("gateway_backplane_up", 0.0).await;
    }
    let _meanwhile = [
        first.connect(&token("acme", "c")).await,
        second.connect(&token("acme", "d")).await,
        second.connect(&token("acme", "e")).await,
        second.connect(&token("acme", "f")).await,
    ];
    expect_too_many(&first.knock(&token("acme", "g")).await);
    expect_too_many(&second.knock(&token("acme", "g")).await);
    assert!(first.metric("gateway_quota_unproven_total").await >= 1.0);

    redis.launch().await;

    eventually("three that stay", async || {
        let (one, two) = (first.metric(ACTIVE).await, second.metric(ACTIVE).await);
        if one + two < 3.5 { Ok(()) } else { Err(format!("{one} and {two}")) }
    })
    .await;
    let closed = "gateway_sessions_closed_total{code=\"4429\"}";
    eventually("three that are told", async || {
        let told = first.metric(closed).await + second.metric(closed).await;
        if told > 2.5 { Ok(()) } else { Err(told) }
    })
    .await;
    expect_too_many(&second.knock(&token("acme", "g")).await);
}

#[tokio::test]
async fn a_redis_that_does_not_answer_holds_nobody_up_for_long() {
    let redis = Redis::start().await;
    let gateway = replica(&redis, "2").await;
    let first = gateway.connect(&token("acme", "a")).await;

    redis.pause();
    // A room that is known needs no answer: only the count would wait.
    let (second, took) = crate::support::timed(gateway.connect(&token("acme", "b"))).await;
    let third = gateway.knock(&token("acme", "c")).await;
    redis.unpause();

    expect_too_many(&third);
    assert!(took < crate::support::PATIENCE / 4, "{took:?}");
    drop((first, second));
}
