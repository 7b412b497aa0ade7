//! A Redis of one's own, sentinels, a proxy that loses answers, and what is in the log.

mod proxy;
mod redis_server;
mod sentinels;
mod shards;

use std::time::Duration;

use chrono::Utc;
use publisher::{
    Publisher, new_event_id,
    shared::{CompanyId, Cursor, Envelope, Event, EventId, Record, keys},
};
use redis::aio::MultiplexedConnection;

pub(crate) use self::{
    proxy::{Fault, Proxy},
    redis_server::{RedisServer, free_port},
    sentinels::{Cluster, NAME, Sentinel},
    shards::{Shards, ask, until},
};

/// An event with a number to know it by.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
}

impl Event for Numbered {
    const TYPE: &'static str = "test:numbered";
}

pub(crate) fn company(name: &str) -> CompanyId {
    CompanyId::parse(name).unwrap()
}

pub(crate) fn envelope(company: &CompanyId, number: u64) -> Envelope {
    envelope_with_id(company, new_event_id(), number)
}

pub(crate) fn envelope_with_id(company: &CompanyId, id: EventId, number: u64) -> Envelope {
    Envelope::typed(company, id, Utc::now(), &Numbered { number }).unwrap()
}

pub(crate) fn publisher(server: &RedisServer) -> Publisher {
    Publisher::connect(&server.url()).unwrap()
}

/// One that gives up soon.
pub(crate) fn hasty(url: &str) -> Publisher {
    Publisher::builder(url)
        .deadline(Duration::from_millis(400))
        .response_timeout(Duration::from_millis(200))
        .build()
        .unwrap()
}

/// The log as stored: id and record of each entry.
pub(crate) async fn log(redis: &mut MultiplexedConnection, company: &CompanyId) -> Vec<(String, String)> {
    let entries: Vec<(String, Vec<String>)> =
        redis::cmd("XRANGE").arg(keys::log(company)).arg("-").arg("+").query_async(redis).await.unwrap();
    let entry = |(id, fields): (String, Vec<String>)| {
        assert_eq!((fields[0].as_str(), fields[2].as_str()), (keys::LOG_FIELD, keys::ORIGIN_FIELD));
        (id, fields[1].clone())
    };
    entries.into_iter().map(entry).collect()
}

/// The events' numbers in log order, once it is sure that the log is whole: one epoch, no hole in `seq`, and each
/// record says its own place.
pub(crate) async fn numbers(redis: &mut MultiplexedConnection, company: &CompanyId) -> Vec<u64> {
    let epochs = epochs(redis, company).await;
    assert!(epochs.len() <= 1, "{epochs:?}");
    epochs.concat()
}

/// The same for each epoch that is in the log.
pub(crate) async fn epochs(redis: &mut MultiplexedConnection, company: &CompanyId) -> Vec<Vec<u64>> {
    let mut epochs: Vec<Vec<u64>> = Vec::new();
    let mut before: Option<Cursor> = None;
    for (id, text) in log(redis, company).await {
        let record = Record::parse(text.as_bytes()).unwrap();
        assert_eq!(record.id.to_string(), id);
        match before {
            Some(before) if record.id.epoch == before.epoch => {
                assert!(record.id.follows(before), "{} after {before}", record.id);
            }
            Some(_) => assert_eq!(record.id.seq, 1),
            None => {}
        }
        if before.is_none_or(|before| before.epoch != record.id.epoch) {
            epochs.push(vec![]);
        }
        before = Some(record.id);
        let frame: serde_json::Value = serde_json::from_str(record.frame).unwrap();
        assert_eq!(frame["id"], id);
        assert_eq!(frame["companyId"], company.as_str());
        epochs.last_mut().unwrap().push(frame["data"]["number"].as_u64().unwrap());
    }
    epochs
}

/// How often Redis was asked for this command, the refused times included.
pub(crate) async fn calls(redis: &mut MultiplexedConnection, command: &str) -> u64 {
    let info = info(redis, "commandstats").await;
    let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_")?.strip_prefix(command)?.strip_prefix(':'));
    let count = |name: &str| -> u64 {
        line.and_then(|line| line.split(',').find_map(|stat| stat.strip_prefix(name)))
            .map_or(0, |digits| digits.parse().unwrap())
    };
    count("calls=") + count("rejected_calls=")
}

/// Connections ever accepted.
pub(crate) async fn connections(redis: &mut MultiplexedConnection) -> u64 {
    let info = info(redis, "stats").await;
    info.lines().find_map(|line| line.strip_prefix("total_connections_received:")).unwrap().trim().parse().unwrap()
}

/// What a server believes itself to be.
pub(crate) async fn role(redis: &mut MultiplexedConnection) -> &'static str {
    match redis::cmd("ROLE").query_async(redis).await.unwrap() {
        redis::Role::Primary { .. } => "master",
        redis::Role::Replica { .. } => "replica",
        _ => "neither",
    }
}

/// How much of the master's stream a server has written or read.
async fn replication_offset(redis: &mut MultiplexedConnection) -> u64 {
    let info = info(redis, "replication").await;
    info.lines().find_map(|line| line.strip_prefix("master_repl_offset:")).unwrap().trim().parse().unwrap()
}

async fn info(redis: &mut MultiplexedConnection, section: &str) -> String {
    redis::cmd("INFO").arg(section).query_async(redis).await.unwrap()
}

/// Runs a command that an operator would type.
pub(crate) async fn run(redis: &mut MultiplexedConnection, command: &str) {
    let mut words = command.split(' ');
    let mut cmd = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        cmd.arg(word);
    });
    cmd.exec_async(redis).await.unwrap_or_else(|error| panic!("{command}: {error}"));
}
