//! Being asked to end, and ending well: sessions are sent elsewhere one by one, not all in the same second.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, interval_at, sleep, timeout},
};
use tracing::info;

use crate::{
    app::App,
    defaults::{DRAIN_GRACE, DRAIN_REPORT},
    dispatcher::{FromWorker, Moves},
};

/// The signals that ask the program to end.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// So many are not to be noticed.
    spare: u32,
}

impl Signals {
    /// Takes the signals over. Must be called within a runtime.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn new() -> io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, spare: 0 })
    }

    /// The next signal says what is known already.
    pub fn spare(&mut self) {
        self.spare += 1;
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            match self.spare.checked_sub(1) {
                Some(left) => self.spare = left,
                None => return,
            }
        }
    }
}

/// Sends every session elsewhere, each at its own moment, and waits until they have gone. Redis is not needed for it.
pub async fn drain(app: &App) {
    let (health, within) = (&app.health, app.pace.drain());
    info!(sessions = health.connections(), within_secs = within.as_secs(), "draining; a second signal ends it at once");
    let started = Instant::now();
    let gone = async {
        // The dispatcher lives as long as the program.
        let _ = app.dispatcher.send(FromWorker::Move(Moves::All { within })).await;
        let mut reports = interval_at(started + DRAIN_REPORT, DRAIN_REPORT);
        while health.connections() > 0 {
            tokio::select! {
                () = sleep(Duration::from_millis(20)) => {}
                _ = reports.tick() => {
                    let (left, elapsed_secs) = (health.connections(), started.elapsed().as_secs());
                    let percent_gone = (health.drained() * 100.0).round();
                    info!(left, percent_gone, elapsed_secs, "still draining");
                }
            }
        }
    };
    // Those who do not leave are cut off.
    let _ = timeout(within + DRAIN_GRACE, gone).await;
    info!(left = health.connections(), elapsed_ms = started.elapsed().as_millis() as u64, "drained");
}
