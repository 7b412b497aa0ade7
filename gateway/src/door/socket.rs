use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::Door;
use crate::defaults::HANDSHAKE_TIMEOUT;

/// One open socket that has not said yet what it wants.
pub struct Socket {
    _counted: Counted,
    since: Instant,
}

impl Socket {
    pub(super) fn new(counted: Counted) -> Self {
        Self { _counted: counted, since: Instant::now() }
    }

    /// Whether it was open for longer than a request may take to arrive.
    pub(super) fn is_overdue(&self) -> bool {
        // The HTTP server looks at a clock that is half a second behind at the most.
        self.since.elapsed() + Duration::from_millis(500) >= HANDSHAKE_TIMEOUT
    }
}

/// Counts one open socket until it is dropped, whatever way it ends.
pub struct Counted(Arc<Door>);

impl Counted {
    pub(super) fn new(door: Arc<Door>) -> Self {
        door.sockets.fetch_add(1, Ordering::AcqRel);
        Self(door)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::AcqRel);
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}
