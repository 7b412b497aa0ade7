//! What is done about the rooms from time to time.

use std::time::Instant;

use super::task::{Dispatcher, Entry};
use crate::defaults::{IDLE_CHECK, RECENT_BYTES_ROOM, RECENT_BYTES_TOTAL, ROOM_LINGER};

impl Dispatcher {
    /// Closes rooms that have been empty for a while, lets idle ones look into their log, and shares out the memory for
    /// returning sessions.
    pub(super) async fn sweep(&mut self) {
        let lingered = |entry: &Entry| entry.empty_since.is_some_and(|since| since.elapsed() >= ROOM_LINGER);
        let closed: Vec<_> =
            self.rooms.iter().filter(|(_, entry)| lingered(entry)).map(|(company, _)| company.clone()).collect();
        for company in closed {
            self.rooms.remove(&company);
            self.interests.set(company, false);
        }
        self.metrics.rooms.set(self.rooms.len() as i64);
        let budget = room_budget(self.rooms.len());
        for entry in self.rooms.values_mut() {
            entry.room.set_budget(budget);
        }
        let idle = |entry: &Entry| entry.proven_at.elapsed() >= IDLE_CHECK;
        let unproven: Vec<_> =
            self.rooms.iter().filter(|(_, entry)| idle(entry)).map(|(company, _)| company.clone()).collect();
        for company in unproven {
            if let Some(entry) = self.rooms.get_mut(&company) {
                entry.proven_at = Instant::now();
            }
            self.with_room(&company, |room, effects| room.check(effects)).await;
        }
    }
}

/// The memory of one room for returning sessions, when there are so many.
pub(super) fn room_budget(rooms: usize) -> usize {
    (RECENT_BYTES_TOTAL / rooms.max(1)).clamp(RECENT_BYTES_ROOM.0, RECENT_BYTES_ROOM.1)
}
