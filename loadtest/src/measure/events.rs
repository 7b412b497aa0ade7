//! Events that flow while something else is measured.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use anyhow::Context;
use tokio::task::JoinHandle;

use super::pace::Pacer;
use crate::clock::now_us;

/// A publisher at work.
pub(crate) struct Events {
    stop: Arc<AtomicBool>,
    published: Arc<AtomicU64>,
    task: JoinHandle<anyhow::Result<Pacer>>,
}

impl Events {
    /// Publishes to the rooms in turn, until stopped.
    pub(crate) fn start(mut pacer: Pacer, rate: u32) -> Self {
        let (stop, published) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (stop.clone(), published.clone());
        let task = tokio::spawn(async move {
            // Second by second on one clock: what a pause holds up is late, not left out.
            let mut second = now_us();
            while !stopped.load(Relaxed) {
                pacer.run_from(second, u64::from(rate), f64::from(rate)).await?;
                second += 1_000_000;
                count.fetch_add(u64::from(rate), Relaxed);
            }
            Ok(pacer)
        });
        Self { stop, published, task }
    }

    /// Ends it; how many there were, and the number of each room's newest.
    pub(crate) async fn stop(self) -> anyhow::Result<(u64, Vec<u64>)> {
        self.stop.store(true, Relaxed);
        let pacer = self.task.await.context("the publisher")??;
        Ok((self.published.load(Relaxed), pacer.newest().iter().map(|place| place.seq).collect()))
    }
}
