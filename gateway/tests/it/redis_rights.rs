//! `docs/redis.acl`: under these two users everything works, and nothing else does.

use std::time::Duration;

use redis::{RedisError, aio::MultiplexedConnection};
use serde_json::json;

use crate::support::{Gateway, Launch, Redis, Token, event, eventually, n};

/// A right that the path below does not need: to leave a company's channel, half a minute after its last session.
const ELSEWHERE: [&str; 1] = ["unsubscribe"];

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/redis.acl");
const PUBLISHER: &str = "publisher:change-me-publisher@";
const GATEWAY: &str = "gateway:change-me-gateway@";
const OPERATOR: &str = "operator:operator@";

/// A Redis with the documented users, and one who looks at it for the test.
async fn start() -> (Redis, tempfile::TempDir) {
    start_with(std::fs::read_to_string(RULES).unwrap()).await
}

async fn start_with(rules: String) -> (Redis, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.acl");
    std::fs::write(&file, format!("{rules}user operator on >operator ~* &* +@all\n")).unwrap();
    (Redis::with_settings(&["--aclfile", file.to_str().unwrap()], OPERATOR).await, folder)
}

async fn replica(redis: &Redis) -> Gateway {
    let launch = Launch::new().set("GATEWAY_REDIS_URL", &redis.url_of(GATEWAY));
    let launch = launch.set("GATEWAY_MAX_CONNECTIONS_PER_USER", "2").set("GATEWAY_MAX_CONNECTIONS_PER_COMPANY", "5");
    launch.start().await
}

async fn connection(redis: &Redis, login: &str) -> MultiplexedConnection {
    let client = redis::Client::open(redis.url_of(login)).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

fn company() -> shared::CompanyId {
    shared::CompanyId::parse("acme").unwrap()
}

fn user(name: &str) -> shared::UserId {
    shared::UserId::parse(name).unwrap()
}

/// An event of `acme` as a service of its own publishes it.
fn envelope(number: u64) -> shared::Envelope {
    let data = serde_json::value::RawValue::from_string(json!({ "n": number }).to_string()).unwrap();
    let event_type = shared::EventType::parse("devis:signed").unwrap();
    shared::Envelope::raw(&company(), publisher::new_event_id(), event_type, chrono::Utc::now(), &data).unwrap()
}

/// All that a company's sessions, services and operators do.
async fn whole_path(redis: &Redis) {
    let (gateway, other) = (replica(redis).await, replica(redis).await);
    let anna = Token::user("acme", "anna").sign();
    let mut here = gateway.connect(&anna).await;
    let mut there = other.connect(&Token::user("acme", "bert").sign()).await;

    // Published by the gateway, twice under one id, and as a batch.
    let mut first = event("acme", "devis:signed", 1);
    first["eventId"] = json!("one");
    gateway.publish(&first).await;
    assert!(gateway.publish_all(&first).await[0].1, "a duplicate");
    gateway.publish_numbered("acme", 2..5).await;
    // Published by a service of its own.
    let publisher = publisher::Publisher::connect(&redis.url_of(PUBLISHER)).unwrap();
    let batch: Vec<_> = (5..8).map(envelope).collect();
    publisher.publish_envelopes(&batch).await.unwrap();
    assert!(publisher.publish_envelopes(&batch).await.unwrap().iter().all(|one| one.duplicate));

    for session in [&mut here, &mut there] {
        assert_eq!(session.events(7).await.iter().map(n).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    }
    // A replica that has gone is forgotten, one that has just come has only the log.
    redis.command::<usize>(&["SADD", "gateway:{quota}:replicas", "gone"]).await;
    let late = replica(redis).await;
    let mut resumed = late.connect_from(&anna, here.welcome.last_event_id).await;
    assert_eq!(n(&resumed.event().await), 1);
    other.knock(&anna).await.expect_problem(429, "too_many_connections");
    assert_eq!(other.get("/v1/events", &anna).await.json()["events"].as_array().unwrap().len(), 7);

    // Cut off by a service of its own, and over HTTP.
    publisher.revoke(shared::Target::user(&company(), &user("carl")), Duration::from_secs(60)).await.unwrap();
    let admin = Token::user("*", "service").claim("scope", json!("admin")).sign();
    let revoked = gateway.post("/v1/revocations", &admin, &json!({ "companyId": "acme", "userId": "dora" })).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    for (replica, name) in [(&gateway, "carl"), (&other, "carl"), (&gateway, "dora"), (&late, "dora")] {
        eventually("a refusal", async || match replica.get("/v1/events", &Token::user("acme", name).sign()).await {
            refused if refused.status == 403 => Ok(()),
            other => Err(other.status),
        })
        .await;
    }
    // The replicas see each other.
    gateway.metric_becomes("gateway_fleet_replicas", 3.0).await;
    for session in [here, there, resumed] {
        session.close().await;
    }
}

#[tokio::test]
async fn under_the_documented_users_everything_works_and_no_right_is_idle() {
    let (redis, _folder) = start().await;

    whole_path(&redis).await;

    let denied: Vec<redis::Value> = redis.command(&["ACL", "LOG"]).await;
    assert!(denied.is_empty(), "something was denied: {denied:#?}");
    // What was called, by whomever; the operator looks at other things.
    let used: String = redis.command(&["INFO", "commandstats"]).await;
    let rules = std::fs::read_to_string(RULES).unwrap();
    let granted = rules
        .split_whitespace()
        .filter_map(|word| word.trim_start_matches('(').strip_prefix('+'))
        .filter(|right| *right != "@all");
    for right in granted.filter(|right| !ELSEWHERE.contains(right)) {
        assert!(used.contains(&format!("cmdstat_{right}:")), "{right} is granted and not used");
    }
}

#[tokio::test]
async fn a_gateway_that_does_not_publish_needs_less() {
    let rules = std::fs::read_to_string(RULES).unwrap();
    let (others, gateway) = rules.split_once("user gateway ").unwrap();
    let (rights, own) = gateway.split_once('(').unwrap();
    let mut rights = rights.replace("%RW~{company:*}:log", "%R~{company:*}:log");
    for idle in ["+get ", "+set ", "+xadd ", "+pexpire ", "+info ", "%RW~{company:*}:idem:* "] {
        assert!(rights.contains(idle), "{idle}");
        rights = rights.replace(idle, "");
    }
    let (redis, _folder) = start_with(format!("{others}user gateway {rights}({own}")).await;
    let gateway = replica(&redis).await;
    let mut anna = gateway.connect(&Token::user("acme", "anna").sign()).await;

    let publisher = publisher::Publisher::connect(&redis.url_of(PUBLISHER)).unwrap();
    publisher.publish_envelopes(&[envelope(1)]).await.unwrap();

    assert_eq!(n(&anna.event().await), 1);
    let denied: Vec<redis::Value> = redis.command(&["ACL", "LOG"]).await;
    assert!(denied.is_empty(), "something was denied: {denied:#?}");
    let refused = gateway.try_publish(&event("acme", "devis:signed", 2)).await;
    refused.expect_problem(500, "refused");
}

#[tokio::test]
async fn everything_else_is_denied() {
    let (redis, _folder) = start().await;
    whole_path(&redis).await;
    let (log, foreign) = ("{company:acme}:log", "session:42");
    let everybody = [
        vec!["FLUSHALL"],
        vec!["FLUSHDB"],
        vec!["CONFIG", "GET", "*"],
        vec!["ACL", "LIST"],
        vec!["KEYS", "*"],
        vec!["SCAN", "0"],
        vec!["MONITOR"],
        vec!["SHUTDOWN"],
        vec!["REPLICAOF", "NO", "ONE"],
        vec!["CLIENT", "LIST"],
        vec!["EVAL", "return 1", "0"],
        vec!["SCRIPT", "FLUSH"],
        vec!["GET", foreign],
        vec!["SET", foreign, "x"],
        vec!["SET", "company:acme", "x"],
        vec!["XADD", "company:acme:log", "*", "d", "x"],
        vec!["DEL", log],
        vec!["ZADD", log, "1", "x"],
        vec!["EXPIREAT", log, "1"],
        vec!["HSET", "{company:acme}:idem:one", "a", "b"],
        vec!["XTRIM", log, "MAXLEN", "0"],
        vec!["XDEL", log, "1-1"],
        vec!["PUBLISH", "other", "x"],
        vec!["PUBLISH", "companies:acme", "x"],
    ];
    let publishers = [
        vec!["XRANGE", log, "-", "+"],
        vec!["HGETALL", "gateway:{quota}:replicas"],
        vec!["DEL", "gateway:{quota}:replicas"],
        vec!["SUBSCRIBE", "company:acme"],
        vec!["PUBLISH", "gateway:probe:x", "1"],
    ];
    let gateways = [
        vec!["PSUBSCRIBE", "company:*"],
        vec!["SUBSCRIBE", "other"],
        vec!["RENAME", log, "gateway:x"],
        vec!["KEYS", "gateway:*"],
    ];
    for (login, own) in [(PUBLISHER, &publishers[..]), (GATEWAY, &gateways[..])] {
        let mut connection = connection(&redis, login).await;
        for words in everybody.iter().chain(own) {
            let denied = redis::cmd(words[0]).arg(&words[1..]).query_async::<redis::Value>(&mut connection).await;
            let error: RedisError = denied.err().unwrap_or_else(|| panic!("{login} may {words:?}"));
            assert_eq!(error.code(), Some("NOPERM"), "{login} {words:?}: {error}");
        }
    }
    let nobody = redis::Client::open(redis.url_of("")).unwrap();
    assert!(
        nobody.get_multiplexed_async_connection().await.is_err() || {
            let mut connection = nobody.get_multiplexed_async_connection().await.unwrap();
            redis::cmd("PING").query_async::<String>(&mut connection).await.is_err()
        }
    );
}
