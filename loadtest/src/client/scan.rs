//! Reads an event's place and send time out of its bytes by position, without parsing them.
//!
//! The gateway's event frames always begin `{"frame":"event","id":"<epoch>-<seq>"`. What others send holds the [`marks`]
//! somewhere, as they lie or escaped within a string.

use memchr::memmem::Finder;
use shared::Cursor;

const FRONT: &[u8] = b"{\"frame\":\"event\",\"id\":\"";
/// The member of the measuring events' data that holds the intended send time in microseconds since 1970.
const SENT_AT: &[u8] = b"sentAtUs";
/// Between the name of a mark and its number there are so many bytes at the most: `\":`, and `,\"seq\":` after it.
const BETWEEN: usize = 12;

/// What the data of a measuring event begins with: when it was meant to go, and its number in its room, from 1.
pub(crate) fn marks(sent_at: u64, seq: u64) -> String {
    format!("\"sentAtUs\":{sent_at},\"seq\":{seq}")
}

/// The id of one of the gateway's event frames; `None` for every other frame.
pub(crate) fn event_id(payload: &[u8]) -> Option<Cursor> {
    let rest = payload.strip_prefix(FRONT)?;
    let (epoch, rest) = number(rest)?;
    let (seq, rest) = number(rest.strip_prefix(b"-")?)?;
    rest.starts_with(b"\"").then_some(Cursor { epoch, seq })
}

/// Finds the marks. Remembers where they were, since all events of a run look alike.
pub(super) struct Scanner {
    finder: Finder<'static>,
    hint: usize,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self { finder: Finder::new(SENT_AT), hint: 0 }
    }

    /// When the event was meant to be sent.
    pub(super) fn sent_at(&mut self, payload: &[u8]) -> Option<u64> {
        self.first(payload).map(|(sent_at, _)| sent_at)
    }

    /// When it was meant to be sent, and its number in its room.
    pub(super) fn both(&mut self, payload: &[u8]) -> Option<(u64, u64)> {
        let (sent_at, rest) = self.first(payload)?;
        Some((sent_at, next_number(rest)?.0))
    }

    fn first<'a>(&mut self, payload: &'a [u8]) -> Option<(u64, &'a [u8])> {
        let at_hint = payload.get(self.hint..).is_some_and(|rest| rest.starts_with(SENT_AT));
        if !at_hint {
            self.hint = self.finder.find(payload)?;
        }
        next_number(&payload[self.hint + SENT_AT.len()..])
    }
}

/// The first number that begins within a few bytes.
fn next_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let skipped = bytes.iter().take(BETWEEN).position(u8::is_ascii_digit)?;
    number(&bytes[skipped..])
}

/// The decimal number at the front, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let value = bytes[..digits]
        .iter()
        .try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
    Some((value, &bytes[digits..]))
}

#[cfg(test)]
mod tests {
    use shared::{CompanyId, Envelope, EventId, EventType};

    use super::*;

    fn frame(id: Cursor, data: &serde_json::Value) -> Vec<u8> {
        let data = serde_json::value::to_raw_value(data).unwrap();
        let event_type = EventType::parse("load:tick").unwrap();
        let company = CompanyId::parse("load-1").unwrap();
        let event_id = EventId::parse("e").unwrap();
        let envelope = Envelope::raw(&company, event_id, event_type, chrono::DateTime::UNIX_EPOCH, &data).unwrap();
        envelope.frame(id).into_bytes()
    }

    #[test]
    fn id_and_send_time_are_found_where_the_contract_puts_them() {
        let mut scanner = Scanner::new();
        for seq in [1, 9, 10, u64::MAX] {
            let id = Cursor { epoch: 1_763_800_000_000, seq };
            let frame = frame(id, &serde_json::json!({ "sentAtUs": seq / 2, "seq": seq, "zpad": "xxxx" }));
            assert_eq!(event_id(&frame), Some(id));
            assert_eq!(scanner.sent_at(&frame), Some(seq / 2));
            assert_eq!(scanner.both(&frame), Some((seq / 2, seq)));
        }
    }

    #[test]
    fn marks_are_found_as_they_lie_and_within_strings() {
        let mut scanner = Scanner::new();
        let marks = marks(17, 4);
        let plain = format!("42[\"event\",{{{marks},\"pad\":\"x9\"}}]");
        assert_eq!(scanner.both(plain.as_bytes()), Some((17, 4)));
        let escaped = format!("{{\"data\":{:?}}}", format!("{{{marks}}}"));
        assert!(escaped.contains("\\\"seq\\\":4"), "{escaped}");
        assert_eq!(scanner.both(escaped.as_bytes()), Some((17, 4)));
        assert_eq!(scanner.both(b"{\"sentAtUs\":17}"), None);
        assert_eq!(scanner.both(b"sentAtUs"), None);
    }

    #[test]
    fn other_frames_have_no_id() {
        let frames: &[&[u8]] = &[
            b"{\"frame\":\"heartbeat\"}",
            b"",
            b"{\"frame\":\"event\",\"id\":\"7\"}",
            b"{\"frame\":\"event\",\"id\":\"7-\"}",
            b"{\"frame\":\"event\",\"id\":\"7-99999999999999999999\"}",
            b"{\"frame\":\"event\",\"id\":\"7-1",
        ];
        for frame in frames {
            assert_eq!(event_id(frame), None);
        }
        assert_eq!(Scanner::new().sent_at(&frame(Cursor::EMPTY, &serde_json::json!({}))), None);
    }
}
