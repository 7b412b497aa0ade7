//! One sequence, whatever carries it: WebSocket, event stream and poll agree on every event, over two replicas.

use std::{process::Stdio, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use shared::{Cursor, EventFrame, Resume};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::{sleep, timeout},
};

use crate::support::{Api, Launch, PATIENCE, Redis, Request, Stream, Token};

const EVENTS: usize = 500;

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

/// The seed of `TRANSPORTS_SEED`, to see a failure again, else a new one.
fn seed() -> u64 {
    option_env!("TRANSPORTS_SEED").map_or_else(rand::random, |text| text.parse().expect("it is a number"))
}

#[tokio::test]
async fn every_transport_brings_the_same_sequence() {
    let seed = seed();
    eprintln!("TRANSPORTS_SEED={seed}");
    let redis = Redis::start().await;
    let a = Launch::new().redis(&redis).start().await;
    let b = Launch::new().redis(&redis).start().await;
    let replicas = [*a, *b];
    let start = a.publish_numbered("acme", 0..1).await[0];
    let mut socket = b.connect_from(&anna(), start).await;
    let random = StdRng::seed_from_u64(seed);

    let by_socket = tokio::spawn(async move { socket.events(EVENTS).await });
    let by_stream = tokio::spawn(stream(replicas, start, random));
    let by_curl = tokio::spawn(curl(replicas[0], start));
    let by_poll = tokio::spawn(poll(replicas, start));
    let published = publish(replicas, StdRng::seed_from_u64(seed.wrapping_add(1))).await;

    let by_socket = by_socket.await.unwrap();
    assert_eq!(by_socket.iter().map(|event| event.id).collect::<Vec<_>>(), published);
    // Not only the places, but each event to its last member.
    assert_eq!(by_stream.await.unwrap(), by_socket);
    assert_eq!(by_curl.await.unwrap(), by_socket);
    assert_eq!(by_poll.await.unwrap(), by_socket);
}

/// Publishes in uneven batches, now through the one replica, now through the other.
async fn publish(replicas: [Api; 2], mut random: StdRng) -> Vec<Cursor> {
    let mut cursors = Vec::new();
    while cursors.len() < EVENTS {
        let (start, size) = (cursors.len(), random.random_range(1..8_usize).min(EVENTS - cursors.len()));
        let numbers = u64::try_from(start).unwrap()..u64::try_from(start + size).unwrap();
        cursors.extend(replicas[random.random_range(0..2)].publish_numbered("acme", numbers).await);
        // The pace of the events, not a wait for anything: the others are to fall behind and to catch up.
        sleep(Duration::from_millis(random.random_range(0..10))).await;
    }
    cursors
}

/// Reads as a browser does that loses its stream again and again, now from the one replica, now from the other: the
/// address stays the same, the header tells how far it came.
async fn stream(replicas: [Api; 2], start: Cursor, mut random: StdRng) -> Vec<EventFrame> {
    let mut events: Vec<EventFrame> = vec![];
    let mut drops = 0;
    while events.len() < EVENTS {
        let last = events.last().map_or(start, |event| event.id);
        let request = Request::get(&format!("/v1/sse?lastEventId={start}"))
            .bearer(&anna())
            .header("Last-Event-ID", &last.to_string());
        let mut stream = Stream::open(&replicas[random.random_range(0..2)], request).await;
        assert_eq!((stream.resume, stream.last_event_id), (Resume::Recovered, last));
        let count = random.random_range(0..40_usize).min(EVENTS - events.len());
        events.extend(stream.events(count).await);
        drops += 1;
    }
    assert!(drops > 10, "it was hardly disturbed");
    events
}

/// Reads with a client that is none of ours.
async fn curl(replica: Api, start: Cursor) -> Vec<EventFrame> {
    let mut child = Command::new("curl")
        .args(["--silent", "--no-buffer", "--fail", "--header", &format!("Authorization: Bearer {}", anna())])
        .arg(format!("http://{}/v1/sse?lastEventId={start}", replica.public))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("curl runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut events = vec![];
    let (mut name, mut id) = (String::new(), String::new());
    while events.len() < EVENTS {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("curl hears something");
        let line = line.unwrap().expect("the stream goes on");
        match line.split_once(": ") {
            Some(("event", rest)) => name = rest.to_owned(),
            Some(("id", rest)) => id = rest.to_owned(),
            Some(("data", rest)) if name == "event" => {
                let event: EventFrame = serde_json::from_str(rest).unwrap();
                assert_eq!(event.id.to_string(), id);
                events.push(event);
            }
            _ => {}
        }
    }
    events
}

/// Changes the replica at every request.
async fn poll(replicas: [Api; 2], start: Cursor) -> Vec<EventFrame> {
    let mut events: Vec<EventFrame> = vec![];
    let mut place = start;
    let mut polls = 0;
    while events.len() < EVENTS {
        let answer = replicas[polls % 2].poll(&format!("lastEventId={place}&wait=5"), &anna()).await;
        assert_eq!(answer.resume, Resume::Recovered, "after {place}");
        assert!(!answer.events.is_empty(), "it waited although there was more to come");
        assert_eq!(answer.events.last().map(|event| event.id), Some(answer.last_event_id));
        place = answer.last_event_id;
        events.extend(answer.events);
        polls += 1;
    }
    assert!(polls > 10, "hardly a poll had to wait");
    events
}
