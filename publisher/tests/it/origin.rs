//! What became of Redis itself: promoted, restarted, restored. Numbers that may have been given out before, and lost, are
//! not given out again.

use publisher::Publisher;
use redis::aio::MultiplexedConnection;

use crate::support::{Numbered, RedisServer, company, log, numbers, publisher, role, run};

/// A replica that has everything, and is then made a master.
async fn promoted(master: &RedisServer) -> (RedisServer, MultiplexedConnection) {
    let replica = RedisServer::start().await;
    let (mut old, mut new) = (master.connect().await, replica.connect().await);
    run(&mut new, &format!("REPLICAOF 127.0.0.1 {}", master.port())).await;
    // The first write that it acknowledges comes after everything that was there.
    while redis::cmd("WAIT").arg(1).arg(20).query_async::<u64>(&mut old).await.unwrap() == 0 {
        run(&mut old, "SET somebody here").await;
    }
    run(&mut new, "REPLICAOF NO ONE").await;
    assert_eq!(role(&mut new).await, "master");
    (replica, new)
}

#[tokio::test]
async fn a_promoted_replica_begins_a_new_epoch_behind_what_is_there() {
    let master = RedisServer::start().await;
    let acme = company("acme");
    let before = publisher(&master).publish(&acme, Numbered { number: 1 }).await.unwrap().id;
    let (replica, mut redis) = promoted(&master).await;

    let after = publisher(&replica).publish(&acme, Numbered { number: 2 }).await.unwrap().id;
    assert!(after.epoch > before.epoch, "{after} after {before}");
    assert_eq!(after.seq, 1);
    let next = publisher(&replica).publish(&acme, Numbered { number: 3 }).await.unwrap().id;
    assert!(next.follows(after), "once, not at each publish");
    let ids: Vec<_> = log(&mut redis, &acme).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [before, after, next].map(|id| id.to_string()), "what was known is still there");
}

#[tokio::test]
async fn a_log_that_begins_on_a_promoted_replica_has_one_epoch() {
    let master = RedisServer::start().await;
    let (replica, mut redis) = promoted(&master).await;
    for number in 1..=3 {
        publisher(&replica).publish(&company("acme"), Numbered { number }).await.unwrap();
    }
    assert_eq!(numbers(&mut redis, &company("acme")).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_restart_with_the_append_only_file_goes_on_with_the_numbers() {
    let mut server = RedisServer::start().await;
    let acme = company("acme");
    let before = publisher(&server).publish(&acme, Numbered { number: 1 }).await.unwrap().id;
    server.kill();
    server.revive();
    assert!(server.ready().await);
    assert!(publisher(&server).publish(&acme, Numbered { number: 2 }).await.unwrap().id.follows(before));
}

#[tokio::test]
async fn a_restart_from_a_snapshot_begins_a_new_epoch() {
    let mut server = RedisServer::start().await;
    let acme = company("acme");
    publisher(&server).publish(&acme, Numbered { number: 1 }).await.unwrap();
    run(&mut server.connect().await, "SAVE").await;
    let lost = publisher(&server).publish(&acme, Numbered { number: 2 }).await.unwrap().id;
    server.kill();
    server.revive_from_snapshot();
    assert!(server.ready().await);
    let after = publisher(&server).publish(&acme, Numbered { number: 3 }).await.unwrap().id;
    assert!(after.epoch > lost.epoch, "{after} after {lost}, which nobody has any more");
}

#[tokio::test]
async fn without_the_right_to_ask_the_numbers_go_on() {
    let master = RedisServer::start().await;
    let acme = company("acme");
    let before = publisher(&master).publish(&acme, Numbered { number: 1 }).await.unwrap().id;
    let (replica, mut redis) = promoted(&master).await;
    let rights = format!("{} &company:* -info", crate::rights::COMMANDS);
    run(&mut redis, &format!("ACL SETUSER api reset on >secret {rights}")).await;
    let publisher = Publisher::connect(&format!("redis://api:secret@127.0.0.1:{}", replica.port())).unwrap();
    assert!(publisher.publish(&acme, Numbered { number: 2 }).await.unwrap().id.follows(before));
}
