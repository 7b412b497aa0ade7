//! Which companies are to be announced. The dispatcher never waits to say so: what is not carried out yet is kept once
//! per company, so it is bounded by the rooms, and only the last wish counts.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use shared::CompanyId;
use tokio::sync::Notify;

/// Wishes that the backplane has not carried out yet.
#[derive(Debug, Default)]
pub struct Interests {
    wishes: Mutex<HashMap<CompanyId, bool>>,
    changed: Notify,
}

impl Interests {
    /// Announce this company's events and say so by `Subscribed`, or no longer.
    pub fn set(&self, company: CompanyId, wanted: bool) {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).insert(company, wanted);
        self.changed.notify_one();
    }

    /// Waits for wishes and takes all that are there.
    pub async fn take(&self) -> HashMap<CompanyId, bool> {
        loop {
            let wishes = std::mem::take(&mut *self.wishes.lock().unwrap_or_else(PoisonError::into_inner));
            if !wishes.is_empty() {
                return wishes;
            }
            self.changed.notified().await;
        }
    }
}
