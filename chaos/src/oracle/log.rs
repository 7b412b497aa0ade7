//! What one receiver applied and was told, in order.

use shared::{CompanyId, Cursor};

/// One receiver's story.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// The receiver, for findings.
    pub(crate) name: String,
    /// The company whose events it subscribed to.
    pub(crate) company: CompanyId,
    /// What happened to it.
    pub(crate) steps: Vec<Step>,
    /// Events that came again on the wire and that its gate kept out.
    pub(crate) wire_duplicates: u64,
}

/// Something that happened to a receiver.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// It joined here: everything after this is owed to it.
    Start(Cursor),
    /// It applied an event.
    Event {
        /// Where the frame says that it is.
        at: Cursor,
        /// Its number, from the payload.
        fact: u64,
    },
    /// It was told of a loss, by `lost` or `resync`, and went on from here.
    Jump {
        /// The place to go on from.
        to: Cursor,
        /// Millisecond of the run.
        at_ms: u64,
        /// What the gateway said.
        reason: Box<str>,
    },
    /// It connected again with its cursor, and the gateway claimed to go on from here.
    Resume {
        /// The cursor that it brought.
        brought: Cursor,
        /// The place that the gateway named.
        at: Cursor,
    },
    /// Something came that is not its company's, or not ours: what, for people.
    Foreign(Box<str>),
}

impl Log {
    pub(crate) fn new(name: String, company: CompanyId) -> Self {
        Self { name, company, steps: Vec::new(), wire_duplicates: 0 }
    }
}
