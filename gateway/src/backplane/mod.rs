//! What replicas share: an announcement of each event as it happens, and the log that it stays in.
//!
//! The dispatcher says which companies it wants to hear of and takes [`Signal`]s; when it is in doubt it reads the log.
//! Two implementations: [`Embedded`] for one replica without Redis, [`Redis`] for many. Both behave the same.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use publisher::{PublishError, Published};
use shared::{CompanyId, Cursor, Envelope, Revocation};

use crate::delivery::Delivery;

mod embedded;
mod interests;
mod redis;
mod signals;

pub use embedded::Embedded;
pub use interests::Interests;
pub use redis::Redis;
pub use signals::{SignalReceiver, SignalSender, signals};

/// What the backplane tells the dispatcher, in the order in which it happened.
#[derive(Debug)]
pub enum Signal {
    /// A link is up; its rooms are being subscribed again.
    Up {
        /// It leads to another server than before: after a failover.
        moved: bool,
        /// Whose link.
        scope: Scope,
    },
    /// A link is down; of these nothing is heard until the next `Up` or `Subscribed`.
    Down(Scope),
    /// From here on every event of these companies is heard.
    Subscribed(Vec<CompanyId>),
    /// A record was announced. Not yet checked.
    Announced {
        /// Whose channel it came on.
        company: CompanyId,
        /// The bytes as they came.
        record: Bytes,
    },
    /// Announcements were dropped since the last signal, nobody knows of which companies.
    Overrun,
}

/// Whom a link is for.
#[derive(Debug)]
pub enum Scope {
    /// Every company.
    All,
    /// These: the others' shards have links of their own.
    Companies(Vec<CompanyId>),
}

/// A contiguous piece of a company's log, as it was read.
#[derive(Debug)]
pub struct LogSlice {
    /// The newest event in the log, `None` when it is empty.
    pub top: Option<Cursor>,
    /// The events that were asked for, oldest first.
    pub events: Vec<Delivery>,
}

/// The log could not be read now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Redis did not answer; later it may.
    #[error("the log cannot be read: {0}")]
    Unavailable(String),
    /// More has happened since than one catch-up may read.
    #[error("too much has happened since")]
    TooFar {
        /// The newest event.
        top: Cursor,
    },
}

/// The log and the announcements.
pub trait Backplane: Send + Sync {
    /// Appends and announces events; the results are in the order given.
    fn publish(&self, envelopes: Vec<Envelope>) -> BoxFuture<'_, Result<Vec<Published>, PublishError>>;

    /// Keeps a revocation for all replicas, and has this one obey it.
    fn revoke(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), PublishError>>;

    /// Everything from `from` on; the event at that place itself is included if the log still holds it.
    fn read_from(&self, company: CompanyId, from: Cursor) -> BoxFuture<'_, Result<LogSlice, ReadError>>;

    /// The newest `limit` events, possibly none.
    fn read_newest(&self, company: CompanyId, limit: usize) -> BoxFuture<'_, Result<LogSlice, ReadError>>;

    /// Where to say which companies are to be announced.
    fn interests(&self) -> Arc<Interests>;

    /// Leaves a replica's report with the others, takes away those of the dead, and gives all that are there, by replica.
    /// Where there is no place for it, there are no others.
    fn exchange_reports(
        &self,
        _replica: String,
        _report: String,
        _dead: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<(String, String)>, ReadError>> {
        Box::pin(async { Ok(vec![]) })
    }
}
