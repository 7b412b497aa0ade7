//! Epochs: when a log begins anew, and that an id is never smaller than one before.

use publisher::shared::keys;

use crate::support::{Numbered, RedisServer, company, envelope, log, numbers, publisher, run};

#[tokio::test]
async fn a_wiped_redis_begins_a_new_epoch() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    let before = publisher.publish(&acme, Numbered { number: 1 }).await.unwrap().id;
    run(&mut redis, "FLUSHALL").await;
    let after = publisher.publish(&acme, Numbered { number: 2 }).await.unwrap().id;
    assert!(after.epoch > before.epoch);
    assert_eq!(after.seq, 1);
}

#[tokio::test]
async fn an_emptied_log_begins_a_new_epoch() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    let before = publisher.publish(&acme, Numbered { number: 1 }).await.unwrap().id;
    run(&mut redis, &format!("XTRIM {} MAXLEN 0", keys::log(&acme))).await;
    let after = publisher.publish_envelopes(&[envelope(&acme, 2), envelope(&acme, 3)]).await.unwrap();
    assert!(after[0].id.epoch > before.epoch);
    assert_eq!(after[0].id.seq, 1);
    assert_eq!(numbers(&mut redis, &acme).await, [2, 3], "and the entry that found the epoch is gone");
}

#[tokio::test]
async fn after_a_clock_step_back_a_new_epoch_is_still_later() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    let future = 4_000_000_000_000_u64;
    run(&mut redis, &format!("XADD {} {future}-7 d x", keys::log(&acme))).await;
    run(&mut redis, &format!("XTRIM {} MAXLEN 0", keys::log(&acme))).await;
    let first = publisher.publish(&acme, Numbered { number: 1 }).await.unwrap().id;
    assert_eq!((first.epoch, first.seq), (future + 1, 1));
    let second = publisher.publish(&acme, Numbered { number: 2 }).await.unwrap().id;
    assert!(second.follows(first));
}

#[tokio::test]
async fn a_newest_entry_deleted_by_hand_begins_a_new_epoch_instead_of_reusing_its_number() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
    let deleted = publisher.publish(&acme, Numbered { number: 2 }).await.unwrap().id;
    run(&mut redis, &format!("XDEL {} {deleted}", keys::log(&acme))).await;
    let after = publisher.publish(&acme, Numbered { number: 3 }).await.unwrap().id;
    assert!(after.epoch > deleted.epoch);
    assert_eq!(after.seq, 1);
}

#[tokio::test]
async fn numbers_are_exact_up_to_two_to_the_53() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    let last = (1_u64 << 53) - 2;
    run(&mut redis, &format!("XADD {} 1700000000000-{last} d x", keys::log(&acme))).await;
    for seq in [last + 1, last + 2] {
        assert_eq!(publisher.publish(&acme, Numbered { number: 1 }).await.unwrap().id.seq, seq);
    }
    let beyond = publisher.publish(&acme, Numbered { number: 1 }).await.unwrap().id;
    assert!(beyond.epoch > 1_700_000_000_000 && beyond.seq == 1, "{beyond}");
}

#[tokio::test]
async fn a_forgotten_script_is_loaded_again() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
    run(&mut redis, "SCRIPT FLUSH").await;
    publisher.publish(&acme, Numbered { number: 2 }).await.unwrap();
    assert_eq!(numbers(&mut redis, &acme).await, [1, 2]);
}

#[tokio::test]
async fn keys_of_a_wrong_type_are_met_before_anything_is_written() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    let batch = [envelope(&acme, 1), envelope(&acme, 2)];
    let key = keys::idempotency(&acme, batch[1].event_id());
    run(&mut redis, &format!("LPUSH {key} x")).await;
    let error = publisher.publish_envelopes(&batch).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    assert_eq!(log(&mut redis, &acme).await, []);
    run(&mut redis, &format!("DEL {key}")).await;
    let published = publisher.publish_envelopes(&batch).await.unwrap();
    assert!(published.iter().all(|one| !one.duplicate));
}
