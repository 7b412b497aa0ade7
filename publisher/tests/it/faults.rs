//! Connections that break, answers that are lost, a Redis that dies: stored once, or said so.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use publisher::{PublishError, Publisher, new_event_id};
use tokio::sync::mpsc;

use crate::support::{
    Fault, Numbered, Proxy, RedisServer, company, connections, envelope, free_port, hasty, numbers, publisher, run,
};

#[tokio::test]
async fn without_redis_the_error_comes_in_time_and_says_not_stored() {
    let publisher = hasty(&format!("redis://127.0.0.1:{}", free_port()));
    let start = Instant::now();
    let error = publisher.publish(&company("acme"), Numbered { number: 1 }).await.unwrap_err();
    assert!(matches!(error, PublishError::Unavailable(_)) && error.is_retryable(), "{error}");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn many_publishers_waiting_for_an_absent_redis_all_get_an_answer_in_time() {
    let publisher = hasty(&format!("redis://127.0.0.1:{}", free_port()));
    let start = Instant::now();
    let all = (0..200).map(async |number| publisher.publish(&company("acme"), Numbered { number }).await);
    for result in futures_util::future::join_all(all).await {
        assert!(matches!(result, Err(PublishError::Unavailable(_))), "{result:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_answer_lost_after_execution_stores_once_and_tells_the_cursor() {
    let server = RedisServer::start().await;
    let (proxy, mut redis) = (Proxy::to(server.port()).await, server.connect().await);
    for (name, fault) in [("cut", Fault::Cut), ("swallow", Fault::Swallow)] {
        let acme = company(name);
        // One line, so that it is known which connection carries the answer.
        let publisher =
            Publisher::builder(&proxy.url()).pool_size(1).response_timeout(Duration::from_millis(200)).build().unwrap();
        let first = publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
        let lost = proxy.lost();
        proxy.lose_next(fault);
        let second = publisher.publish(&acme, Numbered { number: 2 }).await.unwrap();
        assert_eq!(proxy.lost(), lost + 1);
        assert!(second.duplicate, "the first attempt stored it");
        assert!(second.id.follows(first.id));
        assert_eq!(numbers(&mut redis, &acme).await, [1, 2]);
    }
}

#[tokio::test]
async fn an_answer_lost_at_the_deadline_is_unknown_and_the_same_batch_settles_it() {
    let server = RedisServer::start().await;
    let (proxy, acme) = (Proxy::to(server.port()).await, company("acme"));
    let builder = Publisher::builder(&proxy.url()).pool_size(1).deadline(Duration::from_millis(200));
    let publisher = builder.build().unwrap();
    publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
    proxy.lose_next(Fault::Swallow);
    let batch = [envelope(&acme, 2), envelope(&acme, 3)];
    let error = publisher.publish_envelopes(&batch).await.unwrap_err();
    assert!(matches!(error, PublishError::Unknown(_)), "{error}");
    let settled = publisher.publish_envelopes(&batch).await.unwrap();
    assert!(settled.iter().all(|one| one.duplicate));
    assert_eq!(numbers(&mut server.connect().await, &acme).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_restart_of_redis_during_a_publish_is_survived() {
    let mut server = RedisServer::start().await;
    let (publisher, acme) = (publisher(&server), company("acme"));
    let first = publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
    server.kill();
    // `biased`: the publish has begun before Redis is started.
    let revive = async { server.revive() };
    let (second, ()) = tokio::join!(biased; publisher.publish(&acme, Numbered { number: 2 }), revive);
    let second = second.unwrap();
    assert!(second.id.follows(first.id));
    assert!(server.ready().await);
    assert_eq!(numbers(&mut server.connect().await, &acme).await, [1, 2]);
}

#[tokio::test]
async fn every_connection_killed_again_and_again_stores_each_of_2000_events_once() {
    const EVENTS: u64 = 2_000;
    let server = RedisServer::start().await;
    let (acme, mut redis, mut killer) = (company("acme"), server.connect().await, server.connect().await);
    let publisher =
        Publisher::builder(&server.url()).max_events(EVENTS * 2).deadline(Duration::from_secs(30)).build().unwrap();
    let before = connections(&mut redis).await;
    let (progress, mut kills) = mpsc::channel::<()>(1);
    let publishing = async {
        let one = async |number| {
            let id = new_event_id();
            if number % 10 == 0 {
                let _ = progress.try_send(());
            }
            publisher.publish_with_id(&acme, id, Numbered { number }).await.unwrap()
        };
        let all: Vec<_> = (0..EVENTS).map(one).collect();
        let mut cursors: Vec<_> = stream::iter(all).buffer_unordered(16).map(|one| one.id).collect().await;
        drop(progress);
        cursors.sort_unstable();
        cursors
    };
    let killing = async {
        let own: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut killer).await.unwrap();
        let other: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut redis).await.unwrap();
        while kills.recv().await.is_some() {
            let list: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut killer).await.unwrap();
            let ids = list.lines().filter_map(|line| line.strip_prefix("id=")?.split(' ').next()?.parse::<i64>().ok());
            for id in ids.filter(|id| *id != own && *id != other) {
                let _: i64 = redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).query_async(&mut killer).await.unwrap();
            }
        }
    };
    let (cursors, ()) = tokio::join!(publishing, killing);
    let opened = connections(&mut redis).await - before;
    assert!(opened > 20, "only {opened} connections: nothing was proven");
    let mut stored = numbers(&mut redis, &acme).await;
    stored.sort_unstable();
    assert!(stored.into_iter().eq(0..EVENTS), "each once");
    assert!(cursors.iter().map(|cursor| cursor.seq).eq(1..=EVENTS), "each was told its own place");
}

#[tokio::test]
async fn a_publish_given_up_by_its_caller_does_not_disturb_the_next() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    publisher.publish(&acme, Numbered { number: 0 }).await.unwrap();
    run(&mut redis, "CLIENT PAUSE 60000 WRITE").await;
    let given_up = publisher.publish(&acme, Numbered { number: 1 });
    assert!(tokio::time::timeout(Duration::from_millis(50), given_up).await.is_err());
    run(&mut redis, "CLIENT UNPAUSE").await;
    let next = publisher.publish(&acme, Numbered { number: 2 }).await.unwrap();
    assert!(!next.duplicate);
    assert_eq!(numbers(&mut redis, &acme).await.last(), Some(&2));
}
