//! What the checker found.

use std::{collections::BTreeSet, fmt};

/// One breach of the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Finding {
    /// Acknowledged, owed, and never received.
    Lost,
    /// Applied twice, or stored twice.
    Twice,
    /// Of another company, or of nobody.
    Foreign,
    /// Ids that do not rise, or a hole in them that nobody was told of.
    Disorder,
    /// Received though the publisher was told that it is not stored, or though nobody published it.
    Phantom,
}

/// All that the checker found, with an example of each.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Breaches, with receiver, cursor and fact.
    pub(crate) findings: Vec<(Finding, String)>,
    /// Events applied by all receivers.
    pub(crate) applied: u64,
    /// Receivers that a breach was found at.
    pub(crate) suspects: BTreeSet<String>,
    /// Losses that receivers were told of.
    pub(crate) jumps: u64,
    /// Acknowledged facts that receivers did not get, covered by such a word.
    pub(crate) excused: u64,
    /// Acknowledged facts that Redis lost before a receiver had them, and that nobody could tell it of.
    pub(crate) untold: u64,
    /// Facts applied again after Redis had lost data: a publisher's retry, stored in the new log, after a word about the
    /// loss.
    pub(crate) repeated: u64,
    /// Events that came again on the wire and were kept out by the gate.
    pub(crate) wire_duplicates: u64,
}

impl Verdict {
    /// Breaches of one kind.
    pub(crate) fn count(&self, kind: Finding) -> usize {
        self.findings.iter().filter(|(found, _)| *found == kind).count()
    }

    /// Whether the promise was kept.
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn find(&mut self, kind: Finding, what: String) {
        self.findings.push((kind, what));
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |kind| self.count(kind);
        write!(
            f,
            "lost {}, twice {}, foreign {}, out of order {}, phantom {}",
            count(Finding::Lost),
            count(Finding::Twice),
            count(Finding::Foreign),
            count(Finding::Disorder),
            count(Finding::Phantom)
        )
    }
}
