use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::Door;
use crate::defaults::HANDSHAKE_TIMEOUT;

/// One open socket; given back when dropped, whatever way it ends.
pub struct Socket {
    door: Arc<Door>,
    since: Instant,
}

impl Socket {
    pub(super) fn new(door: Arc<Door>) -> Self {
        door.sockets.fetch_add(1, Ordering::AcqRel);
        Self { door, since: Instant::now() }
    }

    /// Whether it was open for longer than a request may take to arrive.
    pub(super) fn is_overdue(&self) -> bool {
        // The HTTP server looks at a clock that is half a second behind at the most.
        self.since.elapsed() + Duration::from_millis(500) >= HANDSHAKE_TIMEOUT
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.door.sockets.fetch_sub(1, Ordering::AcqRel);
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}
