//! Reads an event's id and send time out of its JSON by position, without parsing it.
//!
//! An event frame always begins `{"frame":"event","id":"<epoch>-<seq>"`: the gateway writes it so for everybody.

use memchr::memmem::Finder;
use shared::Cursor;

/// The member of the measuring events' data that holds the intended send time in microseconds since 1970.
pub(crate) const SENT_AT: &str = "sentAtUs";
const FRONT: &[u8] = b"{\"frame\":\"event\",\"id\":\"";
const SENT_AT_KEY: &[u8] = b"\"sentAtUs\":";

/// Finds what the tally needs. Remembers where the send time was, since all events of a run look alike.
pub(super) struct Scanner {
    finder: Finder<'static>,
    hint: usize,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self { finder: Finder::new(SENT_AT_KEY), hint: 0 }
    }

    /// The id of an event frame; `None` for every other frame.
    pub(super) fn id(payload: &[u8]) -> Option<Cursor> {
        let rest = payload.strip_prefix(FRONT)?;
        let (epoch, rest) = number(rest)?;
        let (seq, rest) = number(rest.strip_prefix(b"-")?)?;
        rest.starts_with(b"\"").then_some(Cursor { epoch, seq })
    }

    /// When the event was meant to be sent.
    pub(super) fn sent_at(&mut self, payload: &[u8]) -> Option<u64> {
        let at_hint = payload.get(self.hint..).is_some_and(|rest| rest.starts_with(SENT_AT_KEY));
        if !at_hint {
            self.hint = self.finder.find(payload)?;
        }
        number(&payload[self.hint + SENT_AT_KEY.len()..]).map(|(sent_at, _)| sent_at)
    }
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
            let frame = frame(id, &serde_json::json!({ SENT_AT: seq / 2, "pad": "xxxx" }));
            assert_eq!(Scanner::id(&frame), Some(id));
            assert_eq!(scanner.sent_at(&frame), Some(seq / 2));
        }
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
            assert_eq!(Scanner::id(frame), None);
        }
        assert_eq!(Scanner::new().sent_at(&frame(Cursor::EMPTY, &serde_json::json!({}))), None);
    }
}
