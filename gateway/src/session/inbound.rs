//! Reads a client's messages out of a stream of bytes: frames, fragments, size limit. Pure.

use actix_http::ws::{OpCode, Parser};
use bytes::BytesMut;
use shared::CloseCode;

use crate::defaults::{MAX_CLIENT_MESSAGE, MAX_FRAMES_PER_MINUTE};

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Text(String),
    Binary,
    Ping(Vec<u8>),
    Pong,
    Close,
}

/// The client's bytes that do not make a message yet. Empty, and without memory of its own, between messages.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    /// The beginning of a frame.
    partial: BytesMut,
    /// The fragments so far of a message in several frames.
    fragments: Option<Box<Fragments>>,
    /// Frames of the present minute.
    frames: u16,
}

#[derive(Debug)]
struct Fragments {
    text: bool,
    payload: Vec<u8>,
}

impl Inbound {
    /// Bytes that were read before the session began.
    pub(super) fn with_bytes(bytes: &[u8]) -> Self {
        Self { partial: BytesMut::from(bytes), ..Self::default() }
    }

    /// Another minute begins.
    pub(super) fn begin_minute(&mut self) {
        self.frames = 0;
    }

    /// Takes bytes that were read, which may be shared with other sessions and are left empty, and calls `handle` with
    /// each message. It returns false to stop.
    ///
    /// # Errors
    /// The code to close with.
    pub(super) fn receive(
        &mut self,
        read: &mut BytesMut,
        mut handle: impl FnMut(Message) -> bool,
    ) -> Result<(), CloseCode> {
        let mut own = std::mem::take(&mut self.partial);
        let bytes = if own.is_empty() {
            read
        } else {
            own.extend_from_slice(read);
            read.clear();
            &mut own
        };
        let outcome = loop {
            match self.next(bytes) {
                Ok(Some(message)) => {
                    if !handle(message) {
                        bytes.clear();
                        break Ok(());
                    }
                }
                Ok(None) if bytes.is_empty() => break Ok(()),
                Ok(None) => {
                    self.partial = BytesMut::from(&bytes[..]);
                    break Ok(());
                }
                Err(code) => break Err(code),
            }
        };
        bytes.clear();
        outcome
    }

    /// The next message that is complete.
    fn next(&mut self, bytes: &mut BytesMut) -> Result<Option<Message>, CloseCode> {
        loop {
            check_header(bytes, self.fragments.as_ref().map_or(0, |fragments| fragments.payload.len()))?;
            let parsed = Parser::parse(bytes, true, MAX_CLIENT_MESSAGE).map_err(|_| CloseCode::Protocol)?;
            let Some((last, opcode, payload)) = parsed else { return Ok(None) };
            self.frames += 1;
            if self.frames > MAX_FRAMES_PER_MINUTE {
                return Err(CloseCode::Policy);
            }
            let payload = payload.unwrap_or_default();
            match opcode {
                OpCode::Ping => return Ok(Some(Message::Ping(payload.to_vec()))),
                OpCode::Pong => return Ok(Some(Message::Pong)),
                OpCode::Close => {
                    if payload.get(2..).is_some_and(|reason| std::str::from_utf8(reason).is_err()) {
                        return Err(CloseCode::InvalidPayload);
                    }
                    Parser::try_parse_close_payload(&payload).map_err(|_| CloseCode::Protocol)?;
                    return Ok(Some(Message::Close));
                }
                OpCode::Text | OpCode::Binary if self.fragments.is_some() => return Err(CloseCode::Protocol),
                OpCode::Text | OpCode::Binary if last => return message(opcode == OpCode::Text, &payload).map(Some),
                OpCode::Text | OpCode::Binary => {
                    let text = opcode == OpCode::Text;
                    self.fragments = Some(Box::new(Fragments { text, payload: payload.to_vec() }));
                }
                OpCode::Continue => {
                    let Some(fragments) = &mut self.fragments else { return Err(CloseCode::Protocol) };
                    fragments.payload.extend_from_slice(&payload);
                    if last && let Some(whole) = self.fragments.take() {
                        return message(whole.text, &whole.payload).map(Some);
                    }
                }
                OpCode::Bad => return Err(CloseCode::Protocol),
            }
        }
    }
}

fn message(text: bool, payload: &[u8]) -> Result<Message, CloseCode> {
    if !text {
        return Ok(Message::Binary);
    }
    let text = std::str::from_utf8(payload).map_err(|_| CloseCode::InvalidPayload)?;
    Ok(Message::Text(text.to_owned()))
}

/// Refuses by its header what the parser would wait for or let pass: control frames that are long or in pieces, and a
/// length that is over the limit, before any of it is kept.
fn check_header(bytes: &[u8], already: usize) -> Result<(), CloseCode> {
    let [first, second, rest @ ..] = bytes else { return Ok(()) };
    let short = usize::from(second & 0x7f);
    if first & 0x08 != 0 {
        let whole = first & 0x80 != 0;
        return if whole && short <= 125 { Ok(()) } else { Err(CloseCode::Protocol) };
    }
    // The parser refuses these at once, whatever their length.
    let (reserved, masked, opcode) = (first & 0x70, second & 0x80, first & 0x0f);
    if reserved != 0 || masked == 0 || opcode > 2 {
        return Ok(());
    }
    let length = match (short, rest) {
        (126, [a, b, ..]) => usize::from(u16::from_be_bytes([*a, *b])),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            usize::try_from(u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])).unwrap_or(usize::MAX)
        }
        (126 | 127, _) => return Ok(()),
        _ => short,
    };
    if already.saturating_add(length) > MAX_CLIENT_MESSAGE { Err(CloseCode::TooBig) } else { Ok(()) }
}

/// Reads whole messages, as a session does, and says how many.
#[cfg(any(test, feature = "benching"))]
pub(crate) fn count_messages(bytes: &mut BytesMut) -> usize {
    let mut messages = 0;
    let outcome = Inbound::default().receive(bytes, |message| {
        messages += usize::from(matches!(message, Message::Text(_)));
        true
    });
    outcome.map_or(0, |()| messages)
}

/// Reads the bytes whole and in pieces, whose length the first byte says: the messages and the outcome are the same.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_frames(bytes: &[u8]) {
    let Some((&length, bytes)) = bytes.split_first() else { return };
    let read = |piece: usize| {
        let (mut inbound, mut messages) = (Inbound::default(), vec![]);
        let outcome = bytes.chunks(piece.max(1)).try_for_each(|piece| {
            inbound.receive(&mut BytesMut::from(piece), |message| {
                messages.push(message);
                true
            })
        });
        (messages, outcome)
    };
    assert_eq!(read(usize::from(length)), read(bytes.len()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [7, 21, 42, 99];
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..=125 => bytes.push(0x80 | short as u8),
            long => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(long as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// Feeds the bytes in pieces of `step`.
    fn read(bytes: &[u8], step: usize) -> Result<Vec<Message>, CloseCode> {
        let (mut inbound, mut messages) = (Inbound::default(), vec![]);
        for piece in bytes.chunks(step) {
            let mut shared = BytesMut::from(piece);
            inbound.receive(&mut shared, |message| {
                messages.push(message);
                true
            })?;
            assert!(shared.is_empty(), "the shared buffer is left empty");
        }
        Ok(messages)
    }

    #[test]
    fn messages_come_out_whole_however_they_are_cut() {
        let mut bytes = frame(0x81, b"hello");
        bytes.extend(frame(0x01, b"frag"));
        bytes.extend(frame(0x89, b"ping"));
        bytes.extend(frame(0x80, b"mented"));
        bytes.extend(frame(0x82, b"\x00\x01"));
        bytes.extend(frame(0x88, b"\x03\xe8bye"));
        for step in 1..=bytes.len() {
            let messages = read(&bytes, step).unwrap();
            let expected = [
                Message::Text("hello".into()),
                Message::Ping(b"ping".to_vec()),
                Message::Text("fragmented".into()),
                Message::Binary,
                Message::Close,
            ];
            assert_eq!(messages, expected, "in steps of {step}");
        }
    }

    #[test]
    fn violations_have_their_codes() {
        let cases = [
            ("reserved bit", frame(0xc1, b"x"), CloseCode::Protocol),
            ("reserved opcode", frame(0x83, b"x"), CloseCode::Protocol),
            ("reserved control opcode", frame(0x8b, b"x"), CloseCode::Protocol),
            ("fragmented ping", frame(0x09, b"x"), CloseCode::Protocol),
            ("long ping", frame(0x89, &[0; 126]), CloseCode::Protocol),
            ("continuation of nothing", frame(0x80, b"x"), CloseCode::Protocol),
            ("text inside a text", [frame(0x01, b"a"), frame(0x81, b"b")].concat(), CloseCode::Protocol),
            ("close with half a code", frame(0x88, b"\x03"), CloseCode::Protocol),
            ("close with a code that is reserved", frame(0x88, b"\x03\xed"), CloseCode::Protocol),
            ("unmasked", b"\x81\x01x".to_vec(), CloseCode::Protocol),
            ("bad utf-8", frame(0x81, b"\xff"), CloseCode::InvalidPayload),
            ("one byte too long", frame(0x81, &[b'x'; MAX_CLIENT_MESSAGE + 1]), CloseCode::TooBig),
            ("16 MiB declared", b"\x81\xff\x00\x00\x00\x00\x01\x00\x00\x00".to_vec(), CloseCode::TooBig),
            ("absurd length", b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), CloseCode::TooBig),
            (
                "too long in fragments",
                [frame(0x01, &[b'x'; MAX_CLIENT_MESSAGE]), frame(0x80, b"x")].concat(),
                CloseCode::TooBig,
            ),
        ];
        for (name, bytes, code) in cases {
            assert_eq!(read(&bytes, bytes.len()), Err(code), "{name}");
        }
        assert!(read(&frame(0x81, &[b'x'; MAX_CLIENT_MESSAGE]), 1000).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_can_make_it_panic(bytes: Vec<u8>, step in 1..64usize) {
            let _ = read(&bytes, step);
        }
    }
}
