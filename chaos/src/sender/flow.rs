//! A steady flow of facts.

use std::{sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use shared::CompanyId;
use tokio::{
    sync::Semaphore,
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use super::Sender;
use crate::{
    defaults::{HTTP_SHARE, PUBLISHES_AT_ONCE},
    world::within,
};

/// Facts at a rate, over all companies, until it is stopped or dropped.
pub(crate) struct Flow {
    pacer: AbortHandle,
    room: Arc<Semaphore>,
}

impl Flow {
    pub(crate) fn start(sender: &Arc<Sender>, companies: &[CompanyId], rate: u32, seed: u64) -> Self {
        let room = Arc::new(Semaphore::new(PUBLISHES_AT_ONCE));
        let pacer = tokio::spawn(pace(sender.clone(), companies.to_vec(), rate, seed, room.clone())).abort_handle();
        Self { pacer, room }
    }

    /// Ends it and waits until the fate of every fact is known.
    pub(crate) async fn stop(self, patience: Duration) -> anyhow::Result<()> {
        self.pacer.abort();
        let all = u32::try_from(PUBLISHES_AT_ONCE)?;
        drop(within("the last publishes", patience, self.room.acquire_many(all)).await??);
        Ok(())
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.pacer.abort();
    }
}

async fn pace(sender: Arc<Sender>, companies: Vec<CompanyId>, rate: u32, seed: u64, room: Arc<Semaphore>) {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut ticks = interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut last, mut due) = (Instant::now(), 0.0);
    loop {
        let now = ticks.tick().await;
        due += f64::from(rate) * now.duration_since(last).as_secs_f64();
        last = now;
        while due >= 1.0 {
            due -= 1.0;
            let company = companies[dice.random_range(0..companies.len())].clone();
            let posts = dice.random_ratio(1, HTTP_SHARE);
            // Nobody closes it.
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let sender = sender.clone();
            tokio::spawn(async move {
                let _fate = if posts { sender.post(&company).await } else { sender.publish(&company).await };
                drop(permit);
            });
        }
    }
}
