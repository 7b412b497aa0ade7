//! The way from the backplane to the dispatcher. Announcements never wait: when the way is full they are dropped, and
//! the dispatcher is told [`Signal::Overrun`] instead, so that it looks into the log.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use shared::CompanyId;
use tokio::sync::mpsc;

use super::Signal;
use crate::{
    defaults::{BATCH, SIGNAL_QUEUE},
    metrics::Metrics,
};

/// The backplane's end.
#[derive(Clone)]
pub struct SignalSender {
    queue: mpsc::Sender<Signal>,
    overrun: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
}

/// The dispatcher's end.
pub struct SignalReceiver {
    queue: mpsc::Receiver<Signal>,
    overrun: Arc<AtomicBool>,
}

/// Makes the way.
#[must_use]
pub fn signals(metrics: Arc<Metrics>) -> (SignalSender, SignalReceiver) {
    let (sender, receiver) = mpsc::channel(SIGNAL_QUEUE);
    let overrun = Arc::new(AtomicBool::new(false));
    (SignalSender { queue: sender, overrun: overrun.clone(), metrics }, SignalReceiver { queue: receiver, overrun })
}

impl SignalSender {
    /// Passes an announcement on, or drops it.
    pub fn announce(&self, company: CompanyId, record: Bytes) {
        self.metrics.backplane_messages.inc();
        if self.queue.try_send(Signal::Announced { company, record }).is_err() {
            self.metrics.dropped("overrun");
            self.overrun.store(true, Ordering::Release);
        }
    }

    /// Counts a message that is not ours.
    pub fn drop_noise(&self) {
        self.metrics.backplane_messages.inc();
        self.metrics.dropped("channel");
    }

    /// Passes on what must not be dropped.
    pub async fn send(&self, signal: Signal) {
        // The receiver lives as long as the program; at its end nobody needs the signal.
        let _ = self.queue.send(signal).await;
    }
}

impl SignalReceiver {
    /// Waits for signals and takes all that are there; 0 when there will be no more.
    pub async fn receive(&mut self, signals: &mut Vec<Signal>) -> usize {
        let count = self.queue.recv_many(signals, BATCH).await;
        if self.overrun.swap(false, Ordering::AcqRel) {
            signals.push(Signal::Overrun);
        }
        count
    }
}
