//! What the gateway listens to in Redis, and what it makes of messages that are not for it.

use shared::{CompanyId, Cursor, EventType, Record, keys};

use crate::support::{Backplane, Launch, Redis, Site, Token, event, eventually, n};

const DROPPED: &str = "gateway_backplane_messages_dropped_total";

async fn start() -> Site {
    Backplane::Redis.start().await
}

#[tokio::test]
async fn it_subscribes_to_the_channels_of_its_companies_once_each() {
    let site = start().await;
    let redis = site.redis.as_ref().unwrap();
    assert_eq!(redis.company_channels().await, Vec::<String>::new());

    let mut sessions = vec![];
    for company in ["acme", "acme", "bati", "acme", "bati", "acme"] {
        sessions.push(site.connect(&Token::user(company, "anna").sign()).await);
    }

    assert_eq!(redis.company_channels().await, ["company:acme", "company:bati"]);
    let subscribers: Vec<(String, u64)> = redis.command(&["PUBSUB", "NUMSUB", "company:acme", "company:bati"]).await;
    assert_eq!(subscribers, [("company:acme".to_owned(), 1), ("company:bati".to_owned(), 1)]);
    assert_eq!(redis.command::<u64>(&["PUBSUB", "NUMPAT"]).await, 0);

    let other = Launch::new().redis(redis).start().await;
    let _guest = other.connect(&Token::user("acme", "bruno").sign()).await;
    let subscribers: Vec<(String, u64)> = redis.command(&["PUBSUB", "NUMSUB", "company:acme", "company:bati"]).await;
    assert_eq!(subscribers, [("company:acme".to_owned(), 2), ("company:bati".to_owned(), 1)]);
}

#[tokio::test]
async fn noise_on_a_channel_is_dropped_and_counted() {
    let site = start().await;
    let redis = site.redis.as_ref().unwrap();
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let first = site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&anna.event().await), 1);
    let huge = format!("1 {}-2 devis:signed {{{}}}", first.epoch, "x".repeat(1024 * 1024));
    let version_2 = format!("2 {}-2 devis:signed {{\"frame\":\"event\"}}", first.epoch);
    let not_a_frame = format!("1 {}-2 devis:signed hello", first.epoch);
    let bad_type = format!("1 {}-2 devis {{}}", first.epoch);
    let noise: [&[u8]; 10] = [
        b"hello",
        b"",
        b"\x00\xff\xfe",
        version_2.as_bytes(),
        not_a_frame.as_bytes(),
        bad_type.as_bytes(),
        b"1 x devis:signed {}",
        b"1 18446744073709551616-1 devis:signed {}",
        b"{\"frame\":\"event\",\"id\":\"1-1\"}",
        huge.as_bytes(),
    ];

    for message in noise {
        let heard: u64 = redis.command_bytes(&[b"PUBLISH", b"company:acme", message]).await;
        assert_eq!(heard, 1);
    }
    for channel in ["company:", "company:acme:x", "company:*", &format!("company:{}", "x".repeat(10_000))] {
        let heard: u64 = redis.command(&["PUBLISH", channel, "hello"]).await;
        assert_eq!(heard, 0, "nobody listens to {channel}");
    }
    site.publish(&event("acme", "devis:signed", 2)).await;

    assert_eq!(n(&anna.event().await), 2);
    #[expect(clippy::cast_precision_loss, reason = "it is 10")]
    let sent = noise.len() as f64;
    eventually("the count of dropped messages", async || {
        let dropped = site.metric_sum(DROPPED).await;
        if (dropped - sent).abs() < 0.5 { Ok(()) } else { Err(dropped) }
    })
    .await;
}

/// A record with this number as the publisher would write it.
fn record(id: Cursor, number: u64) -> String {
    let frame = format!(
        r#"{{"frame":"event","id":"{id}","type":"devis:signed","companyId":"acme","time":"2026-11-22T10:00:00.000Z","data":{{"n":{number}}}}}"#
    );
    Record::encode(id, &EventType::parse("devis:signed").unwrap(), &frame)
}

#[tokio::test]
async fn an_event_that_was_stored_but_not_announced_comes_with_the_next() {
    let site = start().await;
    let redis = site.redis.as_ref().unwrap();
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let first = site.publish(&event("acme", "devis:signed", 1)).await;
    let log = keys::log(&CompanyId::parse("acme").unwrap());

    let silent = Cursor { seq: first.seq + 1, ..first };
    let stored: String = redis.command(&["XADD", &log, &silent.to_string(), keys::LOG_FIELD, &record(silent, 2)]).await;
    assert_eq!(stored, silent.to_string());
    let third = site.publish(&event("acme", "devis:signed", 3)).await;

    assert!(third.follows(silent));
    assert_eq!(anna.events(3).await.iter().map(n).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test]
async fn an_event_that_is_announced_again_is_delivered_once() {
    let site = start().await;
    let redis = site.redis.as_ref().unwrap();
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    site.publish_numbered("acme", 0..5).await;

    let log = keys::log(&CompanyId::parse("acme").unwrap());
    let stored: Vec<(String, Vec<String>)> = redis.command(&["XRANGE", &log, "-", "+"]).await;
    assert_eq!(stored.len(), 5);
    for (_, fields) in &stored {
        redis.command::<u64>(&["PUBLISH", "company:acme", &fields[1]]).await;
    }
    site.publish(&event("acme", "devis:signed", 5)).await;

    assert_eq!(anna.events(6).await.iter().map(n).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn an_announcement_that_the_log_does_not_hold_is_not_believed() {
    let site = start().await;
    let redis = site.redis.as_ref().unwrap();
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let first = site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&anna.event().await), 1);

    // Of a log that made way for this one: nothing of this one can be missing.
    redis.command::<u64>(&["PUBLISH", "company:acme", &record(Cursor { epoch: 1, seq: 9 }, 99)]).await;
    for unheard_of in [Cursor { seq: 9, ..first }, Cursor { epoch: u64::MAX, seq: 1 }] {
        redis.command::<u64>(&["PUBLISH", "company:acme", &record(unheard_of, 99)]).await;
        // A failover may have lost it: nobody can prove that nothing is missing, and that is said.
        let place = anna.expect_resync().await;
        let next = site.publish(&event("acme", "devis:signed", 2)).await;
        assert!(next.follows(place), "{next} came after {place}");
        assert_eq!(anna.event().await.id, next);
    }
}

#[tokio::test]
async fn the_least_rights_are_enough() {
    let redis = Redis::start().await;
    let rules = "on >secret resetkeys resetchannels -@all +ping +subscribe +unsubscribe +xrange +xrevrange \
                 %R~{company:*}:log &company:*";
    let words: Vec<&str> = ["ACL", "SETUSER", "gateway"].into_iter().chain(rules.split_whitespace()).collect();
    redis.command::<String>(&words).await;
    let url = redis.url().replace("redis://", "redis://gateway:secret@");
    let gateway = Launch::new().set("GATEWAY_REDIS_URL", &url).start().await;
    let writer = Launch::new().redis(&redis).start().await;

    let mut anna = gateway.connect(&Token::user("acme", "anna").sign()).await;
    let cursors = writer.publish_numbered("acme", 0..3).await;
    assert_eq!(anna.events(3).await.iter().map(n).collect::<Vec<_>>(), [0, 1, 2]);
    let mut back = gateway.connect_from(&Token::user("acme", "anna").sign(), cursors[0]).await;
    assert_eq!(back.events(2).await.iter().map(n).collect::<Vec<_>>(), [1, 2]);

    let refused = gateway.try_publish(&event("acme", "devis:signed", 3)).await;
    assert!(refused.status >= 500, "it may not publish: {refused:?}");
    refused.problem_code();
    assert!(!gateway.log().iter().any(|line| line.contains("secret")), "{:#?}", gateway.log());
}
