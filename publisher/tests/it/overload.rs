//! A Redis that answers, but not with what one hopes for.

use std::time::Duration;

use publisher::{PublishError, Publisher, new_event_id};

use crate::support::{Numbered, RedisServer, calls, company, connections, epochs, hasty, log, numbers, publisher, run};

#[tokio::test]
async fn a_full_redis_stores_nothing_and_later_takes_the_same_event() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    let first = publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
    run(&mut redis, "CONFIG SET maxmemory 1").await;
    run(&mut redis, "CONFIG RESETSTAT").await;
    let id = new_event_id();
    let error = publisher.publish_with_id(&acme, id.clone(), Numbered { number: 2 }).await.unwrap_err();
    assert!(matches!(error, PublishError::Full(_)), "{error}");
    assert!(error.is_retryable());
    assert!(calls(&mut redis, "evalsha").await <= 2, "not hammered");
    run(&mut redis, "CONFIG SET maxmemory 0").await;
    assert_eq!(numbers(&mut redis, &acme).await, [1]);
    let second = publisher.publish_with_id(&acme, id, Numbered { number: 2 }).await.unwrap();
    assert!(second.id.follows(first.id) && !second.duplicate);
}

#[tokio::test]
async fn a_replica_is_unavailable_and_its_connection_is_not_used_again() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (hasty(&server.url()), company("acme"), server.connect().await);
    publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
    let before = connections(&mut redis).await;
    run(&mut redis, "REPLICAOF 127.0.0.1 1").await;
    let error = publisher.publish(&acme, Numbered { number: 2 }).await.unwrap_err();
    assert!(matches!(error, PublishError::Unavailable(_)), "{error}");
    assert!(error.to_string().to_uppercase().contains("READ"), "{error}");
    assert!(connections(&mut redis).await >= before + 2, "each attempt has a new connection");
    run(&mut redis, "REPLICAOF NO ONE").await;
    publisher.publish(&acme, Numbered { number: 3 }).await.unwrap();
    assert_eq!(epochs(&mut redis, &acme).await, [[1], [3]], "a master again, and nobody knows what it missed");
}

#[tokio::test]
async fn a_publish_waits_for_a_replica_to_become_the_master() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    run(&mut redis, "REPLICAOF 127.0.0.1 1").await;
    let promote = async {
        while calls(&mut redis, "evalsha").await < 3 {
            tokio::task::yield_now().await;
        }
        run(&mut redis, "REPLICAOF NO ONE").await;
    };
    let (published, ()) = tokio::join!(publisher.publish(&acme, Numbered { number: 1 }), promote);
    assert!(!published.unwrap().duplicate);
    assert_eq!(numbers(&mut redis, &acme).await, [1]);
}

#[tokio::test]
async fn a_redis_that_does_not_answer_leaves_it_unknown_until_it_does() {
    let server = RedisServer::start().await;
    let (acme, id, mut redis) = (company("acme"), new_event_id(), server.connect().await);
    let publisher = Publisher::builder(&server.url())
        .response_timeout(Duration::from_millis(100))
        .deadline(Duration::from_millis(300))
        .build()
        .unwrap();
    publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
    publisher.publish(&acme, Numbered { number: 2 }).await.unwrap();
    run(&mut redis, "CLIENT PAUSE 60000 WRITE").await;
    let error = publisher.publish_with_id(&acme, id.clone(), Numbered { number: 3 }).await.unwrap_err();
    assert!(matches!(error, PublishError::Unknown(_)) && error.is_retryable(), "{error}");
    run(&mut redis, "CLIENT UNPAUSE").await;
    publisher.publish_with_id(&acme, id, Numbered { number: 3 }).await.unwrap();
    assert_eq!(numbers(&mut redis, &acme).await, [1, 2, 3]);
    assert_eq!(log(&mut redis, &company("durand")).await, []);
}
