//! One clock for sending and receiving: microseconds since 1970 that never step back.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

static ANCHOR: LazyLock<(Instant, Duration)> =
    LazyLock::new(|| (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()));

/// Now, in microseconds since 1970.
pub(crate) fn now_us() -> u64 {
    let (instant, since_epoch) = &*ANCHOR;
    u64::try_from((*since_epoch + instant.elapsed()).as_micros()).unwrap_or(u64::MAX)
}
