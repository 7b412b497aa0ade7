//! Frames as bytes.

use actix_http::ws::{CloseReason, OpCode, Parser};
use bytes::{Bytes, BytesMut};
use shared::{CloseCode, ServerFrame};

/// A text frame. A server's frames are not masked, so the same bytes serve every session.
#[must_use]
pub(crate) fn text(payload: &str) -> Bytes {
    message(payload.as_bytes(), OpCode::Text)
}

/// A protocol frame.
#[must_use]
pub(crate) fn frame(frame: &ServerFrame) -> Bytes {
    text(&json(frame))
}

/// A protocol frame's JSON.
#[must_use]
pub(crate) fn json(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).expect("a protocol frame has only string keys")
}

/// A heartbeat that scripts see, with a ping that the client's network stack answers.
#[must_use]
pub(crate) fn heartbeat() -> Bytes {
    let mut bytes = BytesMut::from(&frame(&ServerFrame::Heartbeat {})[..]);
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
    fn headers_are_as_short_as_the_length_allows() {
        assert_eq!(text("{}")[..], *b"\x81\x02{}");
        assert_eq!(text(&"x".repeat(126))[..4], *b"\x81\x7e\x00\x7e");
        assert_eq!(text(&"x".repeat(65_536))[..10], *b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
        assert_eq!(close(CloseCode::SlowConsumer)[..4], *b"\x88\x0f\x11\x38");
        assert_eq!(heartbeat()[..], *b"\x81\x15{\"frame\":\"heartbeat\"}\x89\x00");
    }
}
