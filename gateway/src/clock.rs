//! Wall-clock time, where tokens and empty logs ask for it.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use shared::Cursor;

use crate::defaults::{EMPTY_LOG_PROOF, TOKEN_LEEWAY};

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Milliseconds since 1970, as epochs count them.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a token counts no more. Seconds are whole, so it is one early: nothing is delivered after the leeway.
pub(crate) fn has_expired(expires_at: u64, now: u64) -> bool {
    now + 1 >= expires_at.saturating_add(TOKEN_LEEWAY.as_secs())
}

/// Seconds since 1970 as a date; one that is out of range becomes the last that is not.
pub(crate) fn date(seconds: u64) -> DateTime<Utc> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The empty log, as a client is told: `<now>-0`, the second rounded down, so that it lies before any log that is born
/// after it was seen empty. The time lets [`inward`] judge what it proves later.
pub(crate) fn outward(cursor: Cursor) -> Cursor {
    if cursor == Cursor::EMPTY { Cursor { epoch: unix_seconds() * 1000, seq: 0 } } else { cursor }
}

/// A cursor that a client brings. Having seen an empty log proves something for a while only: later, a log may have come
/// and gone unseen. `0-0` claims to have seen nothing, and asks for everything.
pub(crate) fn inward(cursor: Cursor) -> Cursor {
    let age = unix_millis().saturating_sub(cursor.epoch);
    if cursor.seq > 0 || cursor == Cursor::EMPTY || age <= EMPTY_LOG_PROOF.as_millis() as u64 {
        cursor
    } else {
        // Ahead of every log: it proves nothing.
        Cursor { seq: u64::MAX, ..cursor }
    }
}
