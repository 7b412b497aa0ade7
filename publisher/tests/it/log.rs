//! What stands in the log, and what was announced.

use std::time::Duration;

use futures_util::StreamExt;
use publisher::{
    Batch, Publisher, new_event_id,
    shared::{Record, keys},
};

use crate::support::{Numbered, RedisServer, calls, company, envelope, envelope_with_id, log, numbers, publisher, run};

#[tokio::test]
async fn events_are_numbered_from_one_without_a_hole() {
    let server = RedisServer::start().await;
    let (publisher, acme) = (publisher(&server), company("acme"));
    for number in 1..=20 {
        let published = publisher.publish(&acme, Numbered { number }).await.unwrap();
        assert_eq!((published.id.seq, published.duplicate), (number, false));
    }
    assert!(numbers(&mut server.connect().await, &acme).await.into_iter().eq(1..=20));
}

#[tokio::test]
async fn what_is_announced_is_the_log_entry_is_the_record() {
    let server = RedisServer::start().await;
    let (publisher, acme) = (publisher(&server), company("acme"));
    let mut gateway = redis::Client::open(server.url()).unwrap().get_async_pubsub().await.unwrap();
    gateway.subscribe(keys::channel(&acme)).await.unwrap();
    let batch = [envelope(&acme, 1), envelope(&acme, 2)];
    let published = publisher.publish_envelopes(&batch).await.unwrap();
    let log = log(&mut server.connect().await, &acme).await;
    let mut announced = gateway.on_message();
    for ((envelope, published), (id, entry)) in batch.iter().zip(published).zip(log) {
        let message: String = announced.next().await.unwrap().get_payload().unwrap();
        assert_eq!(message, entry);
        assert_eq!(message, envelope.record(published.id));
        assert_eq!(Record::parse(message.as_bytes()).unwrap().id.to_string(), id);
    }
}

#[tokio::test]
async fn a_duplicate_gets_the_first_ones_cursor_and_is_not_announced() {
    let server = RedisServer::start().await;
    let (publisher, acme, id) = (publisher(&server), company("acme"), new_event_id());
    let mut gateway = redis::Client::open(server.url()).unwrap().get_async_pubsub().await.unwrap();
    gateway.subscribe(keys::channel(&acme)).await.unwrap();
    let first = publisher.publish_with_id(&acme, id.clone(), Numbered { number: 1 }).await.unwrap();
    let again = publisher.publish_with_id(&acme, id.clone(), Numbered { number: 2 }).await.unwrap();
    assert_eq!((again.id, again.duplicate), (first.id, true));
    let last = publisher.publish(&acme, Numbered { number: 3 }).await.unwrap();
    assert!(last.id.follows(first.id));
    let announced: Vec<String> = gateway.on_message().take(2).map(|m| m.get_payload().unwrap()).collect().await;
    assert!(announced[1].contains(&last.id.to_string()), "{announced:?}");
    let elsewhere = publisher.publish_with_id(&company("durand"), id, Numbered { number: 4 }).await.unwrap();
    assert!(!elsewhere.duplicate, "event ids belong to a company");
}

#[tokio::test]
async fn two_publishers_racing_with_one_event_id_store_it_once() {
    let server = RedisServer::start().await;
    let (here, there, acme) = (publisher(&server), publisher(&server), company("acme"));
    for number in 1..=50 {
        let id = new_event_id();
        let (a, b) = tokio::join!(
            here.publish_with_id(&acme, id.clone(), Numbered { number }),
            there.publish_with_id(&acme, id.clone(), Numbered { number }),
        );
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.id, b.id);
        assert!(a.duplicate ^ b.duplicate);
    }
    assert!(numbers(&mut server.connect().await, &acme).await.into_iter().eq(1..=50));
}

#[tokio::test]
async fn a_batch_of_mixed_companies_is_answered_in_the_order_given() {
    let server = RedisServer::start().await;
    let publisher = publisher(&server);
    let companies: Vec<_> = (0..7).map(|n| company(&format!("c{n}"))).collect();
    let batch: Vec<_> = (0..1_000).map(|n| envelope(&companies[n % 7], n as u64)).collect();
    let published = publisher.publish_envelopes(&batch).await.unwrap();
    let mut redis = server.connect().await;
    for (n, one) in published.iter().enumerate() {
        assert_eq!((one.id.seq, one.duplicate), (n as u64 / 7 + 1, false), "event {n}");
    }
    for (n, company) in companies.iter().enumerate() {
        assert!(numbers(&mut redis, company).await.into_iter().eq((n as u64..1_000).step_by(7)));
    }
    let again = publisher.publish_envelopes(&batch).await.unwrap();
    assert!(again.iter().zip(&published).all(|(again, first)| again.duplicate && again.id == first.id));
}

#[tokio::test]
async fn one_event_twice_in_a_batch_is_stored_once() {
    let server = RedisServer::start().await;
    let (acme, id) = (company("acme"), new_event_id());
    let batch = [envelope_with_id(&acme, id.clone(), 1), envelope(&acme, 2), envelope_with_id(&acme, id, 1)];
    let published = publisher(&server).publish_envelopes(&batch).await.unwrap();
    assert_eq!(published[0].id, published[2].id);
    assert!(published.iter().map(|one| one.duplicate).eq([false, false, true]));
    assert_eq!(numbers(&mut server.connect().await, &acme).await, [1, 2]);
}

#[tokio::test]
async fn an_empty_batch_needs_no_redis() {
    let publisher = Publisher::connect("redis://127.0.0.1:1").unwrap();
    assert_eq!(publisher.publish_envelopes(&Batch::new()).await.unwrap(), []);
}

#[tokio::test]
async fn the_log_keeps_exactly_max_events() {
    let server = RedisServer::start().await;
    let publisher = Publisher::builder(&server.url()).max_events(150).build().unwrap();
    let (acme, mut redis) = (company("acme"), server.connect().await);
    let batch: Vec<_> = (1..=420).map(|number| envelope(&acme, number)).collect();
    publisher.publish_envelopes(&batch).await.unwrap();
    assert!(numbers(&mut redis, &acme).await.into_iter().eq(271..=420));
    publisher.publish(&acme, Numbered { number: 421 }).await.unwrap();
    assert!(numbers(&mut redis, &acme).await.into_iter().eq(272..=421));
}

#[tokio::test]
async fn log_and_event_ids_expire() {
    let server = RedisServer::start().await;
    let publisher = Publisher::builder(&server.url()).max_age(Duration::from_secs(3_600)).build().unwrap();
    let (acme, id, mut redis) = (company("acme"), new_event_id(), server.connect().await);
    publisher.publish_with_id(&acme, id.clone(), Numbered { number: 1 }).await.unwrap();
    for (key, hours) in [(keys::log(&acme), 1), (keys::idempotency(&acme, &id), 24)] {
        let left: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut redis).await.unwrap();
        assert!((hours * 3_600_000 - 60_000..=hours * 3_600_000).contains(&left), "{key}: {left} ms");
    }
}

#[tokio::test]
async fn a_publish_is_one_round_trip() {
    let server = RedisServer::start().await;
    let (publisher, acme, mut redis) = (publisher(&server), company("acme"), server.connect().await);
    for number in 0..4 {
        publisher.publish(&acme, Numbered { number }).await.unwrap();
    }
    run(&mut redis, "CONFIG RESETSTAT").await;
    for number in 0..10 {
        publisher.publish(&acme, Numbered { number }).await.unwrap();
    }
    assert_eq!(calls(&mut redis, "evalsha").await, 10);
    for other in ["ping", "unwatch", "hello", "script|load", "eval"] {
        assert_eq!(calls(&mut redis, other).await, 0, "{other}");
    }
}
