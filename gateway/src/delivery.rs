//! One event on its way through a replica, encoded once for everybody.

use shared::{Cursor, EventType, Record, RecordError};

use crate::wire::Frame;

/// An event with its frame ready for any transport.
#[derive(Debug)]
pub struct Delivery {
    /// Its place in the log.
    pub id: Cursor,
    /// What happened, for filters.
    pub event_type: EventType,
    /// The event frame.
    pub frame: Frame,
}

impl Delivery {
    /// Reads a record from the channel or the log and encodes its frame.
    ///
    /// # Errors
    /// When the bytes are not a record.
    pub fn decode(record: &[u8]) -> Result<Self, RecordError> {
        let Record { id, event_type, frame } = Record::parse(record)?;
        Ok(Self { id, event_type, frame: Frame::text(frame) })
    }

    /// The size of the frame.
    #[must_use]
    pub fn size(&self) -> usize {
        self.frame.bytes().len()
    }
}
