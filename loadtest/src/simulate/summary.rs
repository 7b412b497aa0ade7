//! What was played and what became of it, in one line.

use std::{collections::BTreeMap, fmt};

/// The counts of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Summary {
    played: u64,
    dropped: u64,
    by_type: BTreeMap<&'static str, u64>,
    duplicates: u64,
    refused: u64,
    failed_attempts: u64,
}

impl Summary {
    /// An event is in the log.
    pub(super) fn stored(&mut self, event_type: &'static str, duplicate: bool) {
        if duplicate {
            self.duplicates += 1;
        } else {
            *self.by_type.entry(event_type).or_default() += 1;
        }
    }

    /// An event was refused for good.
    pub(super) fn refused(&mut self) {
        self.refused += 1;
    }

    /// An attempt failed that is repeated.
    pub(super) fn failed_attempt(&mut self) {
        self.failed_attempts += 1;
    }

    /// The run is over.
    pub(super) fn closed(self, played: u64, dropped: u64) -> Self {
        Self { played, dropped, ..self }
    }

    /// Whether everything that was played is in the log.
    pub(super) fn complete(&self) -> bool {
        self.published() + self.duplicates == self.played
    }

    fn published(&self) -> u64 {
        self.by_type.values().sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events published", self.published())?;
        for (index, (event_type, count)) in self.by_type.iter().enumerate() {
            write!(f, "{}{event_type} {count}", if index == 0 { " (" } else { ", " })?;
        }
        if !self.by_type.is_empty() {
            f.write_str(")")?;
        }
        let unsent = self.played.saturating_sub(self.published() + self.duplicates + self.refused + self.dropped);
        write!(
            f,
            ", {} already there, {} refused, {} given up, {unsent} not sent, {} failed attempts",
            self.duplicates, self.refused, self.dropped, self.failed_attempts
        )
    }
}
