//! How an event is announced on its company's channel and kept in its log: `1 <id> <type> <json>`.
//!
//! The front is enough to route and to order it; nobody on the way parses the JSON, which is the event frame, ready to
//! be sent. `1` is the version of this format.

use crate::{Cursor, EventType, MAX_EVENT_BYTES};

/// A message that is not a record of ours: dropped and counted by whoever meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// Not version 1 of the format.
    #[error("not version 1 of the record format")]
    Version,
    /// No cursor where one belongs.
    #[error("malformed id")]
    Id,
    /// No event type where one belongs.
    #[error("malformed type")]
    Type,
    /// No JSON object where the frame belongs, or one over the size limit.
    #[error("malformed or oversized frame")]
    Frame,
}

/// A record, borrowed from the bytes that it came in.
///
/// ```
/// use shared::Record;
///
/// let record = Record::parse(br#"1 7-43 devis:signed {"frame":"event"}"#)?;
/// assert_eq!((record.id.seq, record.event_type.as_str()), (43, "devis:signed"));
/// # Ok::<(), shared::RecordError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place in the log.
    pub id: Cursor,
    /// What happened.
    pub event_type: EventType,
    /// The event frame's JSON.
    pub frame: &'a str,
}

impl<'a> Record<'a> {
    /// Reads a record.
    ///
    /// # Errors
    /// What the bytes lack to be one. The frame is taken at its word: it begins and ends like a JSON object.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let text = std::str::from_utf8(bytes).map_err(|_| RecordError::Encoding)?;
        let rest = text.strip_prefix("1 ").ok_or(RecordError::Version)?;
        let (id, rest) = rest.split_once(' ').ok_or(RecordError::Id)?;
        let id: Cursor = id.parse().map_err(|_| RecordError::Id)?;
        if id.seq == 0 {
            return Err(RecordError::Id);
        }
        let (event_type, frame) = rest.split_once(' ').ok_or(RecordError::Type)?;
        let event_type = EventType::parse(event_type).map_err(|_| RecordError::Type)?;
        if frame.len() > MAX_EVENT_BYTES || !frame.starts_with('{') || !frame.ends_with('}') {
            return Err(RecordError::Frame);
        }
        Ok(Self { id, event_type, frame })
    }

    /// Writes a record.
    #[must_use]
    pub fn encode(id: Cursor, event_type: &EventType, frame: &str) -> String {
        format!("1 {id} {event_type} {frame}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_round_trips() {
        let event_type = EventType::parse("devis:signed").unwrap();
        let id = Cursor { epoch: 7, seq: 43 };
        let text = Record::encode(id, &event_type, "{\"a\": 1}");
        assert_eq!(text, "1 7-43 devis:signed {\"a\": 1}");
        assert_eq!(Record::parse(text.as_bytes()), Ok(Record { id, event_type, frame: "{\"a\": 1}" }));
    }

    #[test]
    fn a_record_of_the_first_version_is_understood() {
        let text = include_str!("../fixtures/v0.1.0/record.txt").trim_end();
        let record = Record::parse(text.as_bytes()).unwrap();
        assert_eq!((record.id.to_string().as_str(), record.event_type.as_str()), ("1763800000000-43", "devis:signed"));
        let frame: crate::ServerFrame = serde_json::from_str(record.frame).unwrap();
        assert!(matches!(frame, crate::ServerFrame::Event(event) if event.id == record.id));
    }

    #[test]
    fn what_is_not_ours_is_told_apart() {
        let cases: &[(&[u8], RecordError)] = &[
            (b"", RecordError::Version),
            (b"hello", RecordError::Version),
            (b"2 7-43 a:b {}", RecordError::Version),
            (b"1 7-43", RecordError::Id),
            (b"1 x a:b {}", RecordError::Id),
            (b"1 7-0 a:b {}", RecordError::Id),
            (b"1 7-43 ab {}", RecordError::Type),
            (b"1 7-43 a:b", RecordError::Type),
            (b"1 7-43 a:b []", RecordError::Frame),
            (b"1 7-43 a:b ", RecordError::Frame),
            (b"1 7-43 a:b {\xff}", RecordError::Encoding),
        ];
        for (bytes, error) in cases {
            assert_eq!(Record::parse(bytes).as_ref(), Err(error), "{}", String::from_utf8_lossy(bytes));
        }
        let big = format!("1 7-43 a:b {{{}}}", "x".repeat(MAX_EVENT_BYTES));
        assert_eq!(Record::parse(big.as_bytes()), Err(RecordError::Frame));
    }

    proptest! {
        #[test]
        fn no_bytes_can_make_it_panic(bytes: Vec<u8>) {
            let _ = Record::parse(&bytes);
        }
    }
}
