//! An event on its way to the log: everything but its place, which the log alone can give.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{CompanyId, Cursor, Event, EventId, EventType, IdError, Record, TraceParent};

/// The largest event frame, in bytes of JSON.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// How deep arrays and objects may be nested in an event's data: deeper ones exhaust parsers that recurse.
pub const MAX_DEPTH: usize = 64;

/// Why an event cannot be published. Trying again does not help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The event's type is malformed.
    #[error(transparent)]
    Type(#[from] IdError),
    /// The event's data does not serialize to JSON.
    #[error("the event's data is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The event is larger than a frame may be.
    #[error("the event is {0} bytes of JSON, the limit is {MAX_EVENT_BYTES}")]
    TooBig(usize),
    /// Arrays and objects are nested deeper than parsers bear.
    #[error("the event's data is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// One event, addressed and sealed, before the log has given it a place.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use shared::{CompanyId, Cursor, Envelope, EventId, EventType};
/// use serde_json::value::to_raw_value;
///
/// let company = CompanyId::parse("acme")?;
/// let data = to_raw_value(&serde_json::json!({ "left": 3 }))?;
/// let envelope = Envelope::raw(
///     &company, EventId::parse("stock-7")?, EventType::parse("stock:low")?, DateTime::<Utc>::UNIX_EPOCH, &data,
/// )?;
/// assert_eq!(
///     envelope.frame(Cursor { epoch: 7, seq: 1 }),
///     r#"{"frame":"event","id":"7-1","type":"stock:low","companyId":"acme","time":"1970-01-01T00:00:00.000Z","data":{"left":3}}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Envelope {
    company: CompanyId,
    event_id: EventId,
    event_type: EventType,
    tail: String,
}

/// The members of an event frame that follow `frame` and `id`, in their order on the wire.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tail<'a> {
    r#type: &'a EventType,
    company_id: &'a CompanyId,
    time: String,
    data: &'a RawValue,
}

impl Envelope {
    /// Seals a typed event.
    ///
    /// # Errors
    /// When the event's type is malformed, it does not serialize, or it is too big.
    pub fn typed<E: Event>(
        company: &CompanyId,
        event_id: EventId,
        time: DateTime<Utc>,
        event: &E,
    ) -> Result<Self, EnvelopeError> {
        let data = serde_json::value::to_raw_value(event)?;
        Self::raw(company, event_id, EventType::parse(E::TYPE)?, time, &data)
    }

    /// Seals an event whose data is JSON already.
    ///
    /// # Errors
    /// When the event is too big or nested too deep.
    pub fn raw(
        company: &CompanyId,
        event_id: EventId,
        event_type: EventType,
        time: DateTime<Utc>,
        data: &RawValue,
    ) -> Result<Self, EnvelopeError> {
        let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let json = serde_json::to_string(&Tail { r#type: &event_type, company_id: company, time, data })?;
        let envelope = Self { company: company.clone(), event_id, event_type, tail: json[1..].to_owned() };
        let longest = envelope.longest();
        if longest > MAX_EVENT_BYTES {
            Err(EnvelopeError::TooBig(longest))
        } else if depth(data.get()) > MAX_DEPTH {
            Err(EnvelopeError::TooDeep)
        } else {
            Ok(envelope)
        }
    }

    /// Writes into the frame which trace the event belongs to, as CloudEvents has it. An event that would become too big
    /// by it stays as it is.
    #[must_use]
    pub fn with_traceparent(mut self, parent: TraceParent) -> Self {
        let member = format!("\"traceparent\":\"{parent}\",");
        // What stands before the data has no quotes in its values.
        if let Some(at) = self.tail.find("\"data\":")
            && !self.tail[..at].contains("\"traceparent\":")
            && self.longest() + member.len() <= MAX_EVENT_BYTES
        {
            self.tail.insert_str(at, &member);
        }
        self
    }

    /// The size of the frame, wherever in the log it comes to stand.
    fn longest(&self) -> usize {
        self.frame(Cursor { epoch: u64::MAX, seq: u64::MAX }).len()
    }

    /// The company whose log it goes to.
    #[must_use]
    pub fn company(&self) -> &CompanyId {
        &self.company
    }

    /// What makes it unique.
    #[must_use]
    pub fn event_id(&self) -> &EventId {
        &self.event_id
    }

    /// What happened.
    #[must_use]
    pub fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// The frame's JSON behind `{"frame":"event","id":"<id>",`. The publish script writes the front.
    #[must_use]
    pub fn tail(&self) -> &str {
        &self.tail
    }

    /// The frame at a place of the log.
    #[must_use]
    pub fn frame(&self, id: Cursor) -> String {
        format!("{{\"frame\":\"event\",\"id\":\"{id}\",{}", self.tail)
    }

    /// The record at a place of the log, as the publish script writes it.
    #[must_use]
    pub fn record(&self, id: Cursor) -> String {
        Record::encode(id, &self.event_type, &self.frame(id))
    }
}

/// The deepest nesting of arrays and objects in a text that is JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(data: &str) -> Result<Envelope, EnvelopeError> {
        Envelope::raw(
            &CompanyId::parse("acme").unwrap(),
            EventId::parse("e1").unwrap(),
            EventType::parse("devis:signed").unwrap(),
            DateTime::from_timestamp_millis(1_763_800_000_123).unwrap(),
            &RawValue::from_string(data.to_owned()).unwrap(),
        )
    }

    #[test]
    fn the_frame_is_complete() {
        let frame = envelope("{\"a\":1}").unwrap().frame(Cursor { epoch: 7, seq: 43 });
        assert_eq!(
            frame,
            "{\"frame\":\"event\",\"id\":\"7-43\",\"type\":\"devis:signed\",\"companyId\":\"acme\",\
             \"time\":\"2025-11-22T08:26:40.123Z\",\"data\":{\"a\":1}}"
        );
    }

    #[test]
    fn a_trace_stands_before_the_data_and_never_makes_an_event_too_big() {
        let parent: TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
        let sealed = envelope(r#"{"data":1}"#).unwrap();
        let frame = sealed.clone().with_traceparent(parent).frame(Cursor { epoch: 7, seq: 43 });
        let member = format!(r#""time":"2025-11-22T08:26:40.123Z","traceparent":"{parent}","data":{{"data":1}}}}"#);
        assert!(frame.ends_with(&member), "{frame}");
        let again = sealed.with_traceparent(parent).with_traceparent(parent);
        assert_eq!(again.frame(Cursor { epoch: 7, seq: 43 }), frame, "once");
        let empty = envelope("\"\"").unwrap();
        let full = envelope(&format!("\"{}\"", "x".repeat(MAX_EVENT_BYTES - empty.longest()))).unwrap();
        assert_eq!(full.clone().with_traceparent(parent).tail(), full.tail());
    }

    #[test]
    fn big_events_are_refused_here() {
        let data = format!("\"{}\"", "x".repeat(MAX_EVENT_BYTES));
        assert!(matches!(envelope(&data), Err(EnvelopeError::TooBig(_))));
    }

    #[test]
    fn deep_events_are_refused_here() {
        let nested = |levels: usize| format!("{}\"[[\\\"[[\"{}", "[".repeat(levels), "]".repeat(levels));
        assert!(envelope(&nested(MAX_DEPTH)).is_ok());
        assert!(matches!(envelope(&nested(MAX_DEPTH + 1)), Err(EnvelopeError::TooDeep)));
    }
}
