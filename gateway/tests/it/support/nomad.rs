//! A client that goes where it is asked to, among several gateways, and checks that it misses nothing on the way.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use shared::{Cursor, EventFrame, Resume, ServerFrame};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{Api, Client, Incoming, eventually};

/// What stands before the gateways: whoever comes goes where the fewest are.
#[derive(Clone, Default)]
pub(crate) struct Balancer(Arc<Mutex<Vec<Server>>>);

/// A gateway, and how many clients are there.
type Server = (Api, Arc<AtomicUsize>);

impl Balancer {
    /// From now on it sends clients there too.
    pub(crate) fn add(&self, api: Api) {
        self.0.lock().unwrap().push((api, Arc::default()));
    }

    fn pick(&self) -> (Api, Visit) {
        let gateways = self.0.lock().unwrap();
        let (api, count) = gateways.iter().min_by_key(|(_, count)| count.load(Ordering::Acquire)).unwrap();
        count.fetch_add(1, Ordering::AcqRel);
        (*api, Visit(Arc::clone(count)))
    }

    /// How many are where.
    pub(crate) fn counts(&self) -> Vec<usize> {
        self.0.lock().unwrap().iter().map(|(_, count)| count.load(Ordering::Acquire)).collect()
    }
}

/// A client's being there.
struct Visit(Arc<AtomicUsize>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One such client; it ends when it is let go of.
pub(crate) struct Nomad {
    seen: Arc<Mutex<Vec<EventFrame>>>,
    moves: Arc<AtomicUsize>,
    life: JoinHandle<()>,
}

impl Nomad {
    /// Connects where the balancer says; a company whose log is not empty.
    pub(crate) async fn start(balancer: &Balancer, token: &str) -> Self {
        let (seen, moves) = (Arc::default(), Arc::default());
        let (api, visit) = balancer.pick();
        let client = api.connect(token).await;
        let life = Life {
            cursor: client.welcome.last_event_id,
            balancer: balancer.clone(),
            token: token.to_owned(),
            seen: Arc::clone(&seen),
            moves: Arc::clone(&moves),
        };
        Self { seen, moves, life: tokio::spawn(life.run(client, visit)) }
    }

    /// How often it has moved.
    pub(crate) fn moves(&self) -> usize {
        self.moves.load(Ordering::Acquire)
    }

    /// Waits until it has seen so many events: these, in this order, and no others.
    pub(crate) async fn expect_events(&self, expected: &[Cursor]) {
        let seen = eventually("all events", async || {
            let seen: Vec<Cursor> = self.seen.lock().unwrap().iter().map(|event| event.id).collect();
            assert!(!self.life.is_finished(), "it gave up after {} events", seen.len());
            if seen.len() < expected.len() { Err(seen.len()) } else { Ok(seen) }
        })
        .await;
        assert_eq!(seen, expected);
    }
}

impl Drop for Nomad {
    fn drop(&mut self) {
        self.life.abort();
    }
}

struct Life {
    cursor: Cursor,
    balancer: Balancer,
    token: String,
    seen: Arc<Mutex<Vec<EventFrame>>>,
    moves: Arc<AtomicUsize>,
}

impl Life {
    async fn run(mut self, mut client: Client, mut visit: Visit) {
        let mut leave_at: Option<Instant> = None;
        loop {
            let incoming = tokio::select! {
                incoming = client.next() => incoming,
                () = sleep_until(leave_at.unwrap_or_else(Instant::now)), if leave_at.is_some() => {
                    leave_at = None;
                    // The next connection stands before this one ends.
                    let (api, next) = self.balancer.pick();
                    client = api.connect_from(&self.token, self.cursor).await;
                    assert_eq!((client.welcome.resume, client.welcome.last_event_id), (Resume::Recovered, self.cursor));
                    visit = next;
                    self.moves.fetch_add(1, Ordering::AcqRel);
                    continue;
                }
            };
            match incoming {
                Incoming::Frame(ServerFrame::Event(event)) => {
                    assert!(event.id.follows(self.cursor), "{} does not follow {}", event.id, self.cursor);
                    self.cursor = event.id;
                    self.seen.lock().unwrap().push(event);
                }
                Incoming::Frame(ServerFrame::Reconnect { after_ms, .. }) => {
                    leave_at = Some(Instant::now() + Duration::from_millis(after_ms));
                }
                Incoming::Frame(ServerFrame::Status { .. }) => {}
                other => panic!("{other:?} was not to come"),
            }
            // Kept until the next is there.
            let _ = &visit;
        }
    }
}
