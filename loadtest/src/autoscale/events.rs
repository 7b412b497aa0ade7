//! The events that flow meanwhile.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use anyhow::Context;
use shared::CompanyId;
use tokio::task::JoinHandle;

use crate::{
    measure::pace::Pacer,
    system::ToGateway,
    target::{Target, TargetArgs},
};

/// Bytes of an event's frame.
const SIZE: usize = 300;

/// A publisher at work.
pub(super) struct Events {
    stop: Arc<AtomicBool>,
    published: Arc<AtomicU64>,
    task: JoinHandle<anyhow::Result<Pacer>>,
}

impl Events {
    /// Publishes to the rooms in turn, until stopped.
    pub(super) fn start(redis: &str, rooms: Vec<CompanyId>, rate: u32) -> anyhow::Result<Self> {
        let args = TargetArgs { redis: Some(redis.to_owned()), gateway: None };
        let target = Target::open(&args, || anyhow::bail!("Redis asks for no token"))?;
        let mut pacer = Pacer::new(Box::new(ToGateway::new(target)?), rooms, SIZE)?;
        let (stop, published) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (stop.clone(), published.clone());
        let task = tokio::spawn(async move {
            while !stopped.load(Relaxed) {
                pacer.run(u64::from(rate), f64::from(rate)).await?;
                count.fetch_add(u64::from(rate), Relaxed);
            }
            Ok(pacer)
        });
        Ok(Self { stop, published, task })
    }

    /// Ends it; how many there were, and the number of each room's newest.
    pub(super) async fn stop(self) -> anyhow::Result<(u64, Vec<u64>)> {
        self.stop.store(true, Relaxed);
        let pacer = self.task.await.context("the publisher")??;
        Ok((self.published.load(Relaxed), pacer.newest().iter().map(|place| place.seq).collect()))
    }
}
