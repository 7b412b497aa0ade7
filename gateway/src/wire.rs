//! Frames as bytes, encoded once for every session and transport.

use actix_http::ws::{CloseReason, OpCode, Parser};
use bytes::{Bytes, BytesMut};
use shared::{CloseCode, ServerFrame};

/// One text frame: a server's frames are not masked, so the same bytes serve every WebSocket, and the JSON behind the
/// header serves every other transport.
#[derive(Debug, Clone)]
pub struct Frame {
    bytes: Bytes,
    header: u8,
}

impl Frame {
    /// Encodes a text.
    #[must_use]
    pub fn text(json: &str) -> Self {
        let bytes = message(json.as_bytes(), OpCode::Text);
        let header = bytes.len() - json.len();
        Self { bytes, header: header as u8 }
    }

    /// Encodes a protocol frame.
    #[must_use]
    pub fn of(frame: &ServerFrame) -> Self {
        Self::text(&serde_json::to_string(frame).expect("a protocol frame has only string keys"))
    }

    /// For a WebSocket: header and JSON.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// For everything else.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.bytes[usize::from(self.header)..]
    }
}

/// A heartbeat that scripts see, with a ping behind it that the client's network stack answers.
#[must_use]
pub(crate) fn heartbeat_with_ping(heartbeat: &Frame) -> Bytes {
    let mut bytes = BytesMut::from(&heartbeat.bytes[..]);
    Parser::write_message(&mut bytes, [], OpCode::Ping, true, false);
    bytes.freeze()
}

/// The answer to a ping.
#[must_use]
pub(crate) fn pong(payload: &[u8]) -> Bytes {
    message(payload, OpCode::Pong)
}

/// A close frame.
#[must_use]
pub(crate) fn close(code: CloseCode) -> Bytes {
    let mut bytes = BytesMut::with_capacity(32);
    let reason = CloseReason { code: code.code().into(), description: Some(code.reason().to_owned()) };
    Parser::write_close(&mut bytes, Some(reason), false);
    bytes.freeze()
}

fn message(payload: &[u8], opcode: OpCode) -> Bytes {
    let mut bytes = BytesMut::with_capacity(payload.len() + 10);
    Parser::write_message(&mut bytes, payload, opcode, true, false);
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_what_was_encoded() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(length);
            assert_eq!(Frame::text(&text).json(), text.as_bytes());
        }
    }

    #[test]
    fn headers_are_as_short_as_the_length_allows() {
        assert_eq!(Frame::text("{}").bytes()[..], *b"\x81\x02{}");
        assert_eq!(Frame::text(&"x".repeat(126)).bytes()[..4], *b"\x81\x7e\x00\x7e");
        assert_eq!(Frame::text(&"x".repeat(65_536)).bytes()[..10], *b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
        assert_eq!(close(CloseCode::SlowConsumer)[..4], *b"\x88\x0f\x11\x38");
        let heartbeat = heartbeat_with_ping(&Frame::of(&ServerFrame::Heartbeat {}));
        assert_eq!(heartbeat[..], *b"\x81\x15{\"frame\":\"heartbeat\"}\x89\x00");
    }
}
