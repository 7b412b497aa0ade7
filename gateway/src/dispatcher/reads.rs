//! Reading logs for rooms: beside the dispatcher, never in its way.

use shared::{CompanyId, Cursor};
use tokio::time::sleep;
use tracing::{debug, warn};

use super::task::Dispatcher;
use crate::{
    backplane::{LogSlice, ReadError},
    defaults::READ_RETRY,
};

/// What a read of a log found, or that it is time to try again.
pub(super) enum ReadDone {
    Result(CompanyId, u64, Result<LogSlice, ReadError>),
    Retry(CompanyId, u64),
}

impl Dispatcher {
    pub(super) fn start_read(&self, company: CompanyId, from: Option<Cursor>, number: u64) {
        self.metrics.logs.reads.inc();
        let (backplane, done, metrics) = (self.backplane.clone(), self.reads.clone(), self.metrics.clone());
        tokio::spawn(async move {
            let timer = metrics.logs.seconds.start_timer();
            let result = match from {
                Some(cursor) => backplane.read_from(company.clone(), cursor).await,
                None => backplane.read_newest(company.clone(), 1).await,
            };
            timer.observe_duration();
            if let Ok(slice) = &result {
                metrics.logs.events.observe(slice.events.len() as f64);
            }
            // The dispatcher is gone only when the program ends.
            let _ = done.send(ReadDone::Result(company, number, result)).await;
        });
    }

    pub(super) async fn read_done(&mut self, done: ReadDone) {
        match done {
            ReadDone::Result(company, number, result) => {
                let Some(entry) = self.rooms.get_mut(&company).filter(|entry| entry.read == number) else { return };
                match &result {
                    Err(error) if entry.failures == 0 => warn!(%company, %error, "cannot catch up yet"),
                    Err(error) => debug!(%company, %error, "still cannot catch up"),
                    Ok(_) => entry.failures = 0,
                }
                let mut effects = Vec::new();
                if entry.room.log(result, &mut effects) {
                    let delay = READ_RETRY.0 * 2u32.saturating_pow(entry.failures);
                    let delay = delay.min(READ_RETRY.1).mul_f64(rand::random_range(0.5..1.0));
                    entry.failures += 1;
                    let (done, company) = (self.reads.clone(), company.clone());
                    tokio::spawn(async move {
                        sleep(delay).await;
                        let _ = done.send(ReadDone::Retry(company, number)).await;
                    });
                }
                self.carry_out(&company, effects).await;
            }
            ReadDone::Retry(company, number) => {
                if self.rooms.get(&company).is_some_and(|entry| entry.read == number) {
                    self.with_room(&company, |room, effects| room.retry(effects)).await;
                }
            }
        }
    }
}
