//! Where a receiver stands, for those who wait for it.

use shared::Cursor;
use tokio::time::Instant;

/// A receiver's state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// The newest marker that it applied, and when.
    pub(crate) marker: (u64, Instant),
    /// The last place that it was told to go on from after a loss, and when.
    pub(crate) jump: Option<(Cursor, Instant)>,
    /// How often it was told of a loss.
    pub(crate) jumps: u32,
    /// How often its connection ended, or a poll failed.
    pub(crate) cuts: u32,
    /// How often it was told that events come late.
    pub(crate) degraded: u32,
    /// Whether it has been welcomed, and not been cut since.
    pub(crate) connected: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { marker: (0, Instant::now()), jump: None, jumps: 0, cuts: 0, degraded: 0, connected: false }
    }

    /// When it caught up with this marker: applied it, or was told to go on from behind it.
    pub(crate) fn caught_up(&self, marker: u64, at: Cursor) -> Option<Instant> {
        let applied = (self.marker.0 >= marker).then_some(self.marker.1);
        applied.or_else(|| self.jump.filter(|(to, _)| *to >= at).map(|(_, when)| when))
    }

    /// Whether anything but events happened to it since.
    pub(crate) fn was_touched_since(&self, before: &Self) -> bool {
        (self.jumps, self.cuts, self.degraded) != (before.jumps, before.cuts, before.degraded)
    }
}
