//! Three replicas and one decision: those that hear of it obey within a second, one that was cut off from Redis within
//! five of its return, one that starts later from its first request on.

use std::time::Duration;

use publisher::Publisher;
use serde_json::json;
use shared::{CloseCode, CompanyId, Revocation, Target, TokenId, UserId};
use tokio::time::Instant;

use crate::{
    revocations::{expect_refused, revoke},
    support::{Client, Gateway, Launch, Proxy, Redis, Stream, Token, event, eventually, n, now, timed},
};

const WITHIN: Duration = Duration::from_secs(1);
const AFTER_RETURN: Duration = Duration::from_secs(5);

fn anna() -> Token {
    Token::user("acme", "anna").claim("jti", json!("t-1")).claim("iat", json!(now() - 60))
}

/// A session and a stream of the same user.
async fn both(gateway: &Gateway) -> (Client, Stream) {
    (gateway.connect(&anna().sign()).await, gateway.stream(&anna().sign()).await)
}

async fn expect_closed((socket, stream): &mut (Client, Stream)) {
    assert_eq!(socket.expect_close().await, CloseCode::Forbidden.code());
    while let Some(message) = stream.message().await {
        if message.name == "error" {
            return stream.expect_end().await;
        }
    }
    panic!("the stream ended without a word");
}

#[tokio::test]
async fn one_replica_is_told_and_all_obey() {
    let redis = Redis::start().await;
    let proxy = Proxy::before(&redis).await;
    let a = Launch::new().redis(&redis).start().await;
    let b = Launch::new().redis(&redis).start().await;
    let cut_off = Launch::new().set("GATEWAY_REDIS_URL", &proxy.url()).start().await;
    let (mut on_a, mut on_b, mut on_cut_off) = (both(&a).await, both(&b).await, both(&cut_off).await);
    let mut witness = b.connect(&Token::user("acme", "bruno").sign()).await;
    proxy.cut();
    cut_off.metric_becomes("gateway_backplane_up", 0.0).await;
    // Until it tries as rarely as it ever will.
    eventually("many attempts to connect", async || {
        let attempts = cut_off.log().iter().filter(|line| line.contains("cannot connect to Redis")).count();
        if attempts >= 7 { Ok(()) } else { Err(attempts) }
    })
    .await;

    let began = Instant::now();
    assert_eq!(revoke(&a, json!({ "companyId": "acme", "userId": "anna" })).await.status, 200);
    let answered = began.elapsed();
    expect_closed(&mut on_a).await;
    let own = began.elapsed();
    expect_closed(&mut on_b).await;
    let other = began.elapsed();
    assert!(own < WITHIN && other < WITHIN, "closed after {own:?} and {other:?}");
    expect_refused(&a, &anna().sign()).await;
    expect_refused(&b, &anna().sign()).await;
    assert_eq!(cut_off.knock(&anna().sign()).await.status, 101, "it cannot know, which the docs say");

    proxy.mend();
    let returned = Instant::now();
    expect_closed(&mut on_cut_off).await;
    let late = returned.elapsed();
    assert!(late < AFTER_RETURN, "closed {late:?} after the return");
    expect_refused(&cut_off, &anna().sign()).await;
    eprintln!(
        "answered after {answered:?}, closed here after {own:?}, elsewhere after {other:?}, {late:?} after the return"
    );

    let later = Launch::new().redis(&redis).start().await;
    expect_refused(&later, &anna().sign()).await;
    later.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&witness.event().await), 1);
}

#[tokio::test]
async fn without_redis_nothing_is_promised() {
    let mut redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna().sign()).await;
    redis.kill();

    let (answer, took) = timed(revoke(&gateway, json!({ "userId": "anna" }))).await;
    answer.expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert!(took < Duration::from_secs(8), "it took {took:?}");
    assert_eq!(gateway.metric("gateway_revocation_requests_total{result=\"failed\"}").await, 1.0);
    assert_eq!(gateway.metric("gateway_revocations").await, 0.0);

    redis.launch().await;
    eventually("a revocation", async || match revoke(&gateway, json!({ "userId": "anna" })).await {
        done if done.status == 200 => Ok(()),
        failed => Err(failed.body),
    })
    .await;
    assert_eq!(session.expect_close().await, CloseCode::Forbidden.code());
}

#[tokio::test]
async fn a_service_revokes_through_the_library() {
    let redis = Redis::start().await;
    let gateways = [Launch::new().redis(&redis).start().await, Launch::new().redis(&redis).start().await];
    let mut sessions = [gateways[0].connect(&anna().sign()).await, gateways[1].connect(&anna().sign()).await];
    let publisher = Publisher::connect(&redis.url()).unwrap();
    let (acme, user) = (CompanyId::parse("acme").unwrap(), UserId::parse("anna").unwrap());

    let began = Instant::now();
    publisher.revoke(Target::user(&acme, &user), Duration::from_secs(600)).await.unwrap();
    for session in &mut sessions {
        assert_eq!(session.expect_close().await, CloseCode::Forbidden.code());
    }
    let took = began.elapsed();
    assert!(took < WITHIN, "closed after {took:?}");
    eprintln!("closed on both after {took:?}");
    expect_refused(&gateways[0], &anna().sign()).await;
    let kept: Vec<String> = redis.command(&["ZRANGE", "gateway:revocations", "0", "-1"]).await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    let ttl: i64 = redis.command(&["TTL", "gateway:revocations"]).await;
    assert!((590..=602).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn what_redis_forgets_it_is_told_again() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    assert_eq!(revoke(&gateway, json!({ "userId": "anna" })).await.status, 200);

    redis.command::<String>(&["FLUSHALL"]).await;
    // Whenever the link is new, the whole of it is read.
    redis.command::<u64>(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    eventually("its return", async || match redis.command::<u64>(&["ZCARD", "gateway:revocations"]).await {
        1 => Ok(()),
        count => Err(count),
    })
    .await;
    let later = Launch::new().redis(&redis).start().await;
    expect_refused(&later, &anna().sign()).await;
    expect_refused(&gateway, &anna().sign()).await;
}

/// Waits for a line of the log that has all of these words.
async fn logs(gateway: &Gateway, words: &[&str]) {
    eventually("a line of the log", async || {
        let log = gateway.log();
        if log.iter().any(|line| words.iter().all(|word| line.contains(word))) { Ok(()) } else { Err(log.join("\n")) }
    })
    .await;
}

#[tokio::test]
async fn a_gateway_without_the_right_to_them_says_so_and_goes_on() {
    let redis = Redis::start().await;
    let rights = ["~*", "&*", "+@all", "-zrevrange", "-zadd"];
    let user = [&["ACL", "SETUSER", "gw", "on", ">secret"], &rights[..]].concat();
    redis.command::<String>(&user).await;
    let url = format!("redis://gw:secret@{}/", redis.address());
    let gateway = Launch::new().set("GATEWAY_REDIS_URL", &url).start().await;
    logs(&gateway, &["revocations cannot be read"]).await;
    let mut session = gateway.connect(&anna().sign()).await;

    revoke(&gateway, json!({ "jti": "t-1" })).await.expect_problem(500, "refused");
    logs(&gateway, &["could not revoke", "ZADD"]).await;
    // It still hears of them.
    let entitled = Launch::new().redis(&redis).start().await;
    assert_eq!(revoke(&entitled, json!({ "jti": "t-1" })).await.status, 200);
    assert_eq!(session.expect_close().await, CloseCode::Forbidden.code());
}

#[tokio::test]
async fn many_revocations_are_read_whole_and_noise_is_left_out() {
    let redis = Redis::start().await;
    let fill = "for i = 1, 2500 do redis.call('ZADD', KEYS[1], ARGV[1], \
                '{\"jti\":\"x-' .. i .. '\",\"at\":1,\"until\":' .. ARGV[1] .. '}') end return redis.status_reply('OK')";
    let until = (now() + 600).to_string();
    redis.command::<String>(&["EVAL", fill, "1", "gateway:revocations", &until]).await;
    redis.command::<u64>(&["ZADD", "gateway:revocations", &until, "not a revocation"]).await;
    let gateway = Launch::new().redis(&redis).start().await;
    gateway.metric_becomes("gateway_revocations", 2_500.0).await;
    for number in [1, 999, 1_000, 1_001, 2_500] {
        expect_refused(&gateway, &anna().claim("jti", json!(format!("x-{number}"))).sign()).await;
    }
    let mut session = gateway.connect(&anna().sign()).await;

    redis.command::<u64>(&["PUBLISH", "gateway:revocations", "not a revocation"]).await;
    let target = Target::token(&TokenId::parse("t-1").unwrap());
    let revocation = Revocation::new(target, u64::try_from(now()).unwrap(), Duration::from_secs(60));
    let text = serde_json::to_string(&revocation).unwrap();
    redis.command::<u64>(&["PUBLISH", "gateway:revocations", &text]).await;
    assert_eq!(session.expect_close().await, CloseCode::Forbidden.code());
    gateway.metric_becomes("gateway_backplane_messages_dropped_total{reason=\"malformed\"}", 1.0).await;
}
