//! One event on its way through a replica, encoded once for everybody.

use bytes::Bytes;
use shared::{Cursor, EventType, Record, RecordError};

use crate::session::wire;

/// An event with its frame ready for any socket: a server's frames are not masked, so all sessions get the same bytes.
#[derive(Debug)]
pub struct Delivery {
    /// Its place in the log.
    pub id: Cursor,
    /// What happened, for filters.
    pub event_type: EventType,
    frame: Bytes,
    header: usize,
}

impl Delivery {
    /// Reads a record from the channel or the log and encodes its frame.
    ///
    /// # Errors
    /// When the bytes are not a record.
    pub fn decode(record: &[u8]) -> Result<Self, RecordError> {
        let Record { id, event_type, frame: json } = Record::parse(record)?;
        let frame = wire::text(json);
        let header = frame.len() - json.len();
        Ok(Self { id, event_type, frame, header })
    }

    /// The WebSocket frame: header and JSON.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The JSON alone.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.frame[self.header..]
    }
}
