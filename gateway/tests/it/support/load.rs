//! A publisher that keeps at it: numbered events, one after the other, each repeated under its event id until it is in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{Api, PATIENCE, Token, event, eventually};

/// Events of one company that go on being published until somebody asks how many there were.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    published: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Load {
    /// Begins with number 0.
    pub(crate) fn start(api: Api, company: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let published = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(run(api, company.to_owned(), Arc::clone(&stop), Arc::clone(&published)));
        Self { stop, published, task }
    }

    /// Waits until `count` more events are in.
    pub(crate) async fn publishes_more(&self, count: u64) {
        let goal = self.published.load(Ordering::Relaxed) + count;
        eventually(&format!("event {goal}"), async || {
            let now = self.published.load(Ordering::Relaxed);
            if now >= goal { Ok(()) } else { Err(now) }
        })
        .await;
    }

    /// Ends after the event that is on its way; how many there were.
    pub(crate) async fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        self.published.load(Ordering::Relaxed)
    }
}

async fn run(api: Api, company: String, stop: Arc<AtomicBool>, published: Arc<AtomicU64>) {
    let token = Token::service(&company).sign();
    while !stop.load(Ordering::Relaxed) {
        let number = published.load(Ordering::Relaxed);
        let mut body = event(&company, "devis:signed", number);
        body["eventId"] = json!(format!("load-{number}"));
        publish(&api, &token, &body).await;
        published.fetch_add(1, Ordering::Relaxed);
        // The pace of the load, not a wait for anything.
        sleep(Duration::from_millis(2)).await;
    }
}

/// Publishes until the gateway has it; while Redis is away it says that it is unavailable.
async fn publish(api: &Api, token: &str, body: &Value) {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        let response = api.post("/v1/events", token, body).await;
        match response.status {
            200 => return,
            503 => assert_eq!(response.problem_code(), "unavailable"),
            _ => panic!("neither published nor unavailable: {response:?}"),
        }
        assert!(Instant::now() < deadline, "it stays unavailable: {response:?}");
        sleep(Duration::from_millis(20)).await;
    }
}
