//! A Redis Cluster: events go to the shard that owns their company, also when that is another than before.

use std::{collections::HashMap, time::Duration};

use publisher::{
    Publisher, new_event_id,
    shared::{CompanyId, keys, slot},
};
use redis::Client;

use crate::support::{Shards, ask, company, envelope, envelope_with_id, until};

fn patient(shards: &Shards) -> Publisher {
    Publisher::builder(&shards.url()).deadline(Duration::from_secs(30)).build().unwrap()
}

/// Companies by the primary that serves them, at least one each.
async fn spread(shards: &Shards) -> HashMap<u16, Vec<CompanyId>> {
    let mut owners: HashMap<u16, Vec<CompanyId>> = HashMap::new();
    for number in 0..20 {
        let company = company(&format!("c{number}"));
        let owner = shards.primary(shards.ports()[0], slot(&keys::channel(&company))).await.unwrap();
        owners.entry(owner).or_default().push(company);
    }
    assert_eq!(owners.len(), 3, "twenty companies are on all three shards");
    owners
}

async fn log_at(port: u16, company: &CompanyId) -> usize {
    ask(port, &["XLEN", &keys::log(company)]).await.unwrap()
}

#[tokio::test]
async fn a_batch_goes_to_the_shards_of_its_companies_and_is_heard_there_alone() {
    let shards = Shards::start(0).await;
    let owners = spread(&shards).await;
    let (publisher, mut envelopes) = (patient(&shards), Vec::new());
    for company in owners.values().flatten() {
        envelopes.extend((0..3).map(|number| envelope(company, number)));
    }
    let (port, listened) = owners.iter().next().map(|(port, companies)| (*port, companies[0].clone())).unwrap();
    let (heard, mut hear) = tokio::sync::mpsc::channel(100);
    let config = redis::AsyncConnectionConfig::new().set_push_sender(move |push| heard.try_send(push));
    let client = Client::open(format!("redis://127.0.0.1:{port}/?protocol=resp3")).unwrap();
    let mut ear = client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
    redis::cmd("SSUBSCRIBE").arg(keys::channel(&listened)).query_async::<()>(&mut ear).await.unwrap();
    let published = publisher.publish_envelopes(&envelopes).await.unwrap();
    assert!(published.iter().all(|one| !one.duplicate));
    let again = publisher.publish_envelopes(&envelopes).await.unwrap();
    assert!(published.iter().zip(&again).all(|(one, again)| again.duplicate && again.id == one.id));
    for (port, companies) in &owners {
        for company in companies {
            assert_eq!(log_at(*port, company).await, 3);
        }
    }
    let mut messages = 0;
    while let Ok(push) = hear.try_recv() {
        messages += u32::from(push.kind == redis::PushKind::SMessage);
    }
    assert_eq!(messages, 3);
}

#[tokio::test]
async fn a_slot_that_moves_keeps_a_publisher_waiting_and_loses_nothing() {
    let shards = Shards::start(0).await;
    let (publisher, company) = (patient(&shards), company("c1"));
    let slot = slot(&keys::channel(&company));
    let first = new_event_id();
    let placed = publisher.publish_envelopes(&[envelope_with_id(&company, first.clone(), 1)]).await.unwrap()[0];
    let from = shards.primary(shards.ports()[0], slot).await.unwrap();
    let to = *shards.ports().iter().find(|port| **port != from).unwrap();
    let (number, from_id, to_id) = (slot.to_string(), shards.id(from).await, shards.id(to).await);
    ask::<()>(to, &["CLUSTER", "SETSLOT", &number, "IMPORTING", &from_id]).await.unwrap();
    ask::<()>(from, &["CLUSTER", "SETSLOT", &number, "MIGRATING", &to_id]).await.unwrap();
    // The log is still here, the new event's own key nowhere: TRYAGAIN.
    let hasty = Publisher::builder(&shards.url()).deadline(Duration::from_millis(500)).build().unwrap();
    let refused = hasty.publish_envelopes(&[envelope(&company, 9)]).await.unwrap_err();
    // What is stored in the end proves that this was not.
    assert!(refused.is_retryable(), "{refused}");
    let waiting = tokio::spawn({
        let (publisher, company) = (publisher.clone(), company.clone());
        async move { publisher.publish_envelopes(&[envelope(&company, 2)]).await }
    });
    let keys: Vec<String> = ask(from, &["CLUSTER", "GETKEYSINSLOT", &number, "100"]).await.unwrap();
    let port = to.to_string();
    let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
    migrate.extend(keys.iter().map(String::as_str));
    ask::<String>(from, &migrate).await.unwrap();
    assert!(!waiting.is_finished(), "ASK, then TRYAGAIN: keys are at two places");
    for port in [to, from] {
        ask::<()>(port, &["CLUSTER", "SETSLOT", &number, "NODE", &to_id]).await.unwrap();
    }
    let second = waiting.await.unwrap().unwrap()[0];
    assert!(!second.duplicate && second.id.follows(placed.id), "{} after {}", second.id, placed.id);
    let again = publisher.publish_envelopes(&[envelope_with_id(&company, first, 1)]).await.unwrap()[0];
    assert!(again.duplicate && again.id == placed.id, "its event ids have moved with it");
    assert_eq!(log_at(to, &company).await, 2);
}

#[tokio::test]
async fn a_promoted_replica_is_found_under_the_same_event_id() {
    let mut shards = Shards::start(1).await;
    let (publisher, company) = (patient(&shards), company("c1"));
    let slot = slot(&keys::channel(&company));
    publisher.publish_envelopes(&[envelope(&company, 1)]).await.unwrap();
    let primary = shards.primary(shards.ports()[0], slot).await.unwrap();
    let other = *shards.ports().iter().find(|port| **port != primary).unwrap();
    shards.kill(primary);
    let event = envelope(&company, 2);
    let placed = publisher.publish_envelopes(std::slice::from_ref(&event)).await.unwrap()[0];
    assert!(!placed.duplicate);
    assert!(publisher.publish_envelopes(&[event]).await.unwrap()[0].duplicate);
    until("the others know", async || shards.primary(other, slot).await.is_some_and(|now| now != primary)).await;
    let now = shards.primary(other, slot).await.unwrap();
    let log: Vec<(String, Vec<String>)> = ask(now, &["XREVRANGE", &keys::log(&company), "+", "-"]).await.unwrap();
    assert_eq!(log[0].0, placed.id.to_string());
}
