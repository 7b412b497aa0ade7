//! Publishes what has been played, in order, and says so.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use shared::Envelope;
use tokio::sync::mpsc::Receiver;

use super::{player::Played, summary::Summary};
use crate::{
    backoff::Backoff,
    defaults::BATCH,
    story::Company,
    target::{Stored, Target, TargetError},
    terminal,
};

/// The publishing end.
pub(super) struct Sender {
    target: Target,
    companies: Vec<Company>,
    quiet: bool,
    away: Arc<AtomicBool>,
    last_refusal: String,
    backoff: Backoff,
    summary: Summary,
}

impl Sender {
    pub(super) fn new(target: Target, companies: Vec<Company>, quiet: bool) -> Self {
        Self {
            target,
            companies,
            quiet,
            away: Arc::default(),
            last_refusal: String::new(),
            backoff: Backoff::default(),
            summary: Summary::default(),
        }
    }

    /// Whether the target takes nothing for now.
    pub(super) fn away(&self) -> Arc<AtomicBool> {
        self.away.clone()
    }

    /// Publishes until the queue ends.
    pub(super) async fn run(&mut self, mut queue: Receiver<Played>) {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            let envelopes: Vec<Envelope> = batch.iter().map(|played| played.envelope.clone()).collect();
            match self.persist(&envelopes).await {
                Ok(stored) => self.report(&batch, &stored),
                // One of them is refused for good: find out which, so that it does not take the others with it.
                Err(_) if batch.len() > 1 => self.one_by_one(&batch).await,
                Err(error) => self.refused(&batch[0], &error),
            }
            batch.clear();
        }
    }

    /// What has come of it all.
    pub(super) fn summary(&self, played: u64, dropped: u64) -> Summary {
        self.summary.clone().closed(played, dropped)
    }

    async fn one_by_one(&mut self, batch: &[Played]) {
        for played in batch {
            match self.persist(std::slice::from_ref(&played.envelope)).await {
                Ok(stored) => self.report(std::slice::from_ref(played), &stored),
                Err(error) => self.refused(played, &error),
            }
        }
    }

    /// Publishes until it is stored or refused for good.
    async fn persist(&mut self, envelopes: &[Envelope]) -> Result<Vec<Stored>, TargetError> {
        loop {
            match self.target.publish(envelopes).await {
                Ok(stored) => {
                    if self.away.swap(false, Ordering::Relaxed) {
                        terminal::note(format!("{} takes events again", self.target));
                    }
                    self.backoff.reset();
                    return Ok(stored);
                }
                Err(error) if error.retryable => {
                    self.summary.failed_attempt();
                    if !self.away.swap(true, Ordering::Relaxed) {
                        terminal::problem(format!(
                            "{}; the day goes on, trying again under the same event ids",
                            error.message
                        ));
                    }
                    tokio::time::sleep(self.backoff.next(error.retry_after)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn refused(&mut self, played: &Played, error: &TargetError) {
        self.summary.refused();
        if self.last_refusal != error.message {
            terminal::problem(format!("{}: {}", played.envelope.event_id(), error.message));
            self.last_refusal.clone_from(&error.message);
        }
    }

    fn report(&mut self, batch: &[Played], stored: &[Stored]) {
        for (played, stored) in batch.iter().zip(stored) {
            self.summary.stored(played.event.event_type(), stored.duplicate);
            if self.quiet {
                continue;
            }
            let (hour, minute) = (played.second / 3600, played.second / 60 % 60);
            let again = if stored.duplicate { " (déjà publié)" } else { "" };
            terminal::line(format!(
                "{} {:<24} {}{}",
                console::style(format!("{hour:02}:{minute:02}")).dim(),
                console::style(&self.companies[played.company].name).cyan(),
                played.event.sentence(),
                console::style(again).dim(),
            ));
        }
    }
}
