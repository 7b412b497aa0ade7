//! The newest events of a room, kept for sessions that return.

use std::{collections::VecDeque, sync::Arc};

use shared::Cursor;

use crate::{defaults::RECENT_EVENTS, delivery::Delivery};

/// A contiguous run of events that ends at the room's position; bounded in count and bytes.
#[derive(Debug, Default)]
pub(super) struct Recent {
    events: VecDeque<Arc<Delivery>>,
    bytes: usize,
}

impl Recent {
    pub(super) fn push(&mut self, event: Arc<Delivery>, budget: usize) {
        if self.events.back().is_some_and(|last| !event.id.follows(last.id)) {
            self.clear();
        }
        self.bytes += event.size();
        self.events.push_back(event);
        while self.events.len() > RECENT_EVENTS || (self.bytes > budget && self.events.len() > 1) {
            if let Some(oldest) = self.events.pop_front() {
                self.bytes -= oldest.size();
            }
        }
    }

    /// Puts older events in front, as far as they connect and fit.
    pub(super) fn extend_back(&mut self, older: &[Arc<Delivery>], budget: usize) {
        for event in older.iter().rev() {
            let connects = self.events.front().is_none_or(|first| first.id.follows(event.id));
            if !connects || self.events.len() >= RECENT_EVENTS || self.bytes + event.size() > budget {
                return;
            }
            self.bytes += event.size();
            self.events.push_front(event.clone());
        }
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    /// Everything after `cursor`, when that can be told from here.
    pub(super) fn after(&self, cursor: Cursor) -> Option<Vec<Arc<Delivery>>> {
        let first = self.events.front()?.id;
        if !(first.follows(cursor) || (cursor.epoch == first.epoch && first <= cursor)) {
            return None;
        }
        let from = self.events.partition_point(|event| event.id <= cursor);
        Some(self.events.range(from..).cloned().collect())
    }

    /// The event at the room's position.
    pub(super) fn last(&self) -> Option<&Arc<Delivery>> {
        self.events.back()
    }

    /// Whether another event is known under this one's number.
    pub(super) fn contradicts(&self, event: &Delivery) -> bool {
        let known = self.events.binary_search_by_key(&event.id, |known| known.id).ok().map(|index| &self.events[index]);
        known.is_some_and(|known| known.frame.json() != event.frame.json())
    }
}
