//! One event on its way through a replica, encoded once for everybody.

use std::time::Instant;

use chrono::DateTime;
use shared::{Cursor, EventType, Record, RecordError, TraceParent};

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
    /// When it happened and was heard; `None` for one that was read from the log, which may be as old as it likes.
    pub timing: Option<Timing>,
}

/// How old an event is.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// When this replica heard of it.
    pub heard: Instant,
    /// What its frame says, in milliseconds since 1970 by the publisher's clock.
    pub published: Option<i64>,
    /// The trace that it belongs to, if somebody records it.
    pub trace: Option<TraceParent>,
}

impl Delivery {
    /// Reads a record that was announced just now.
    ///
    /// # Errors
    /// When the bytes are not a record.
    pub fn announced(record: &[u8]) -> Result<Self, RecordError> {
        let delivery = Self::decode(record)?;
        let json = std::str::from_utf8(delivery.frame.json()).unwrap_or_default();
        let timing = Timing::of(json);
        Ok(Self { timing: Some(timing), ..delivery })
    }

    /// Reads a record from the channel or the log and encodes its frame.
    ///
    /// # Errors
    /// When the bytes are not a record.
    pub fn decode(record: &[u8]) -> Result<Self, RecordError> {
        let Record { id, event_type, frame } = Record::parse(record)?;
        Ok(Self { id, event_type, frame: Frame::text(frame), timing: None })
    }

    /// The size of the frame.
    #[must_use]
    pub fn size(&self) -> usize {
        self.frame.bytes().len()
    }
}

impl Timing {
    /// Of an event that was heard just now. What is looked for stands before `data` and is found without parsing the JSON.
    fn of(frame: &str) -> Self {
        let head = frame.split_once("\"data\":").map_or("", |(head, _)| head);
        let member = |name: &str| Some(head.split_once(name)?.1.split_once('"')?.0);
        let time = member("\"time\":\"").and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        let trace = member("\"traceparent\":\"").and_then(|trace| trace.parse().ok());
        Self {
            heard: Instant::now(),
            published: time.map(|time| time.timestamp_millis()),
            trace: trace.filter(|trace: &TraceParent| trace.sampled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_trace_are_found_before_the_data_only() {
        let published = |frame: &str| Timing::of(frame).published;
        let front = r#"{"frame":"event","id":"7-1","type":"a:b","companyId":"acme""#;
        let time = r#""time":"2025-11-22T08:26:40.123Z""#;
        assert_eq!(published(&format!(r#"{front},{time},"data":{{}}}}"#)), Some(1_763_800_000_123));
        for none in [
            format!(r#"{front},"data":{{{time}}}}}"#),
            format!(r#"{front},"time":"soon","data":{{}}}}"#),
            format!("{front}}}"),
            String::new(),
        ] {
            assert_eq!(published(&none), None, "{none}");
        }
        let trace = |flags: &str| format!(r#""traceparent":"00-{:032x}-{:016x}-{flags}""#, 7, 9);
        let found = |member: &str| Timing::of(&format!(r#"{front},{member},"data":{{}}}}"#)).trace;
        assert_eq!(found(&trace("01")), Some(TraceParent { trace_id: 7, span_id: 9, sampled: true }));
        assert_eq!(found(&trace("00")), None, "nobody records it");
        assert_eq!(Timing::of(&format!(r#"{front},"data":{{{}}}}}"#, trace("01"))).trace, None);
    }
}
