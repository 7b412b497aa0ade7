//! Cutting somebody off: kept once, announced each time, bounded, and only with the right to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use publisher::{
    PublishError, Publisher,
    shared::{Revocation, Target, UserId, keys},
};
use redis::aio::MultiplexedConnection;
use tokio::time::timeout;

use crate::support::{RedisServer, company, hasty, publisher, run};

const HOUR: Duration = Duration::from_secs(3_600);

/// What a user of the library needs for this alone.
const RIGHTS: &str = "resetkeys resetchannels -@all +ping +hello +evalsha +script|load +time +zscore +zcount +zrange \
                      +zremrangebyscore +zadd +expireat +publish ~gateway:revocations &gateway:revocations";

fn anna() -> Target {
    Target::user(&company("acme"), &UserId::parse("anna").unwrap())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn kept(redis: &mut MultiplexedConnection) -> Vec<Revocation> {
    let texts: Vec<String> = redis::cmd("ZRANGE").arg((keys::REVOCATIONS, 0, -1)).query_async(redis).await.unwrap();
    texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[tokio::test]
async fn a_revocation_is_kept_until_its_end_and_announced() {
    let server = RedisServer::start().await;
    let (publisher, mut redis) = (publisher(&server), server.connect().await);
    let mut pubsub = redis::Client::open(server.url()).unwrap().get_async_pubsub().await.unwrap();
    pubsub.subscribe(keys::REVOCATIONS).await.unwrap();

    let revocation = publisher.revoke(anna(), HOUR).await.unwrap();
    assert!((now() - 5..=now()).contains(&revocation.at), "{revocation:?}");
    assert_eq!(revocation.until, revocation.at + 3_600);
    // Given again, as after an answer that was lost, it is the same one.
    publisher.keep_revocation(&revocation).await.unwrap();

    assert_eq!(kept(&mut redis).await, std::slice::from_ref(&revocation));
    let mut announced = pubsub.on_message();
    for _ in 0..2 {
        let message = timeout(Duration::from_secs(5), announced.next()).await.unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<Revocation>(message.get_payload_bytes()).unwrap(), revocation);
    }
    let ttl: u64 = redis::cmd("TTL").arg(keys::REVOCATIONS).query_async(&mut redis).await.unwrap();
    assert!((3_590..=3_601).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn what_has_ended_makes_room_and_what_has_not_stays() {
    let server = RedisServer::start().await;
    let (publisher, mut redis) = (publisher(&server), server.connect().await);
    run(&mut redis, &format!("ZADD {} {} ended", keys::REVOCATIONS, now() - 10)).await;
    let longer = publisher.revoke(anna(), HOUR * 2).await.unwrap();
    let shorter = publisher.revoke(Target::company(&company("acme")), HOUR).await.unwrap();
    assert_eq!(kept(&mut redis).await, [shorter, longer]);
    let ttl: u64 = redis::cmd("TTL").arg(keys::REVOCATIONS).query_async(&mut redis).await.unwrap();
    assert!(ttl > 7_000, "the set would end before the longest of it: {ttl}");
}

#[tokio::test]
async fn one_too_many_is_refused_and_none_is_forgotten() {
    let server = RedisServer::start().await;
    let (publisher, mut redis) = (publisher(&server), server.connect().await);
    let first = publisher.revoke(anna(), HOUR).await.unwrap();
    let fill = "for i = 1, 99999 do redis.call('ZADD', KEYS[1], ARGV[1], i) end";
    let ends = now() + 60;
    redis::cmd("EVAL").arg((fill, 1, keys::REVOCATIONS, ends)).exec_async(&mut redis).await.unwrap();

    let error = publisher.revoke(Target::company(&company("acme")), HOUR).await.unwrap_err();
    assert!(matches!(error, PublishError::Full(_)), "{error}");
    assert!(error.is_retryable());
    publisher.keep_revocation(&first).await.expect("it is kept already");
    let count: usize = redis::cmd("ZCARD").arg(keys::REVOCATIONS).query_async(&mut redis).await.unwrap();
    assert_eq!(count, 100_000);
}

#[tokio::test]
async fn without_any_one_right_nothing_is_kept() {
    let server = RedisServer::start().await;
    let mut redis = server.connect().await;
    let with = async |redis: &mut MultiplexedConnection, rights: &str| {
        run(redis, &format!("ACL SETUSER api reset on >secret {rights}")).await;
        Publisher::connect(&format!("redis://api:secret@127.0.0.1:{}", server.port())).unwrap()
    };
    for missing in [
        "-zadd",
        "-zremrangebyscore",
        "-expireat",
        "-publish",
        "resetchannels",
        "-time",
        "-zcount",
        "-zscore",
        "-zrange",
    ] {
        let publisher = with(&mut redis, &format!("{RIGHTS} {missing}")).await;
        let error = publisher.revoke(anna(), HOUR).await.unwrap_err();
        assert!(matches!(error, PublishError::Refused(_)), "{missing}: {error}");
        assert_eq!(kept(&mut redis).await, [], "{missing}");
    }
    with(&mut redis, RIGHTS).await.revoke(anna(), HOUR).await.unwrap();
    assert_eq!(kept(&mut redis).await.len(), 1);
}

#[tokio::test]
async fn without_redis_the_caller_is_told() {
    let error = hasty("redis://127.0.0.1:1").revoke(anna(), HOUR).await.unwrap_err();
    assert!(matches!(error, PublishError::Unavailable(_)), "{error}");
}
