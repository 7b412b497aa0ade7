//! What a read of the log proves.

use std::sync::Arc;

use shared::Cursor;

use super::reasons::{REBORN, REPLACED, TOO_FAR, TRIMMED};
use crate::{backplane::LogSlice, delivery::Delivery};

/// What one read of the log found.
pub(super) struct Run {
    pub(super) events: Vec<Arc<Delivery>>,
    pub(super) top: Cursor,
    /// False when the read was cut off: then it proves nothing.
    pub(super) complete: bool,
}

impl Run {
    pub(super) fn new(slice: LogSlice) -> Self {
        let top = slice.events.last().map(|event| event.id).or(slice.top).unwrap_or(Cursor::EMPTY);
        Self { events: slice.events.into_iter().map(Arc::new).collect(), top, complete: true }
    }

    /// Everything after `cursor`, if the log still proves that nothing is missing. When it is `known` what stood at the
    /// cursor, the same must stand there: a replica that was promoted without its log's end reuses numbers.
    pub(super) fn after(
        &self,
        cursor: Cursor,
        known: Option<&Arc<Delivery>>,
    ) -> Result<&[Arc<Delivery>], &'static str> {
        if !self.complete {
            return Err(TOO_FAR);
        }
        let start = self.events.partition_point(|event| event.id <= cursor);
        let found = self.events[..start].last().filter(|event| event.id == cursor);
        let events = &self.events[start..];
        match (known.filter(|known| known.id == cursor), found) {
            (Some(known), Some(found)) if known.frame.json() != found.frame.json() => return Err(REPLACED),
            // Trimmed right up to the cursor: the next number follows, but nothing shows that the history is the same.
            (Some(_), None) if events.first().is_some_and(|event| event.id.epoch == cursor.epoch) => {
                return Err(TRIMMED);
            }
            _ => {}
        }
        match events.first() {
            Some(first) if first.id.follows(cursor) => {
                let whole = events.windows(2).all(|pair| pair[1].id.follows(pair[0].id));
                if whole { Ok(events) } else { Err(TRIMMED) }
            }
            Some(first) if first.id.epoch == cursor.epoch => Err(TRIMMED),
            None if self.top == cursor => Ok(&[]),
            _ => Err(REBORN),
        }
    }
}
