//! Bytes that RFC 6455 forbids end the connection that sent them, with the right code, and no other.

use shared::CloseCode;

use crate::support::{Launch, Opcode, RawSession, Token, event, frame, frame_head, frame_with, n};

const PING: &[u8] = br#"{"frame":"ping"}"#;
const PONG: &str = r#"{"frame":"pong"}"#;
const FIN: u8 = 0x80;

/// The close frame that a client sends with these bytes.
fn close(payload: &[u8]) -> Vec<u8> {
    frame(true, Opcode::Close, payload)
}

/// A text frame as a server would send it: without a mask.
fn unmasked(payload: &[u8]) -> Vec<u8> {
    [&[FIN | 1, u8::try_from(payload.len()).unwrap()], payload].concat()
}

#[tokio::test]
async fn a_violation_ends_only_the_connection_that_committed_it() {
    let gateway = Launch::new().start().await;
    let token = Token::user("acme", "anna").sign();
    let mut witness = gateway.connect(&token).await;
    let part = |fin, opcode, payload: &[u8]| frame(fin, opcode, payload);
    let (protocol, encoding, size) = (CloseCode::Protocol, CloseCode::InvalidPayload, CloseCode::TooBig);
    let half = vec![b'x'; 9 * 1024];

    let violations: Vec<(&str, Vec<u8>, CloseCode)> = vec![
        ("no mask", unmasked(PING), protocol),
        ("RSV1", frame_with(FIN | 0x40 | 1, PING), protocol),
        ("RSV2", frame_with(FIN | 0x20 | 1, PING), protocol),
        ("RSV3 on a ping", frame_with(FIN | 0x10 | 9, b""), protocol),
        ("a reserved opcode", frame_with(FIN | 3, PING), protocol),
        ("a reserved control opcode", frame_with(FIN | 0xb, b""), protocol),
        ("a ping of 126 bytes", frame(true, Opcode::Ping, &[0; 126]), protocol),
        ("a close of 126 bytes", close(&[&[3, 232][..], &[b'x'; 124]].concat()), protocol),
        ("a ping in pieces", frame(false, Opcode::Ping, b"x"), protocol),
        ("a continuation of nothing", frame(true, Opcode::Continuation, PING), protocol),
        ("an open continuation of nothing", frame(false, Opcode::Continuation, PING), protocol),
        (
            "a message inside a message",
            [part(false, Opcode::Text, b"{"), part(true, Opcode::Text, PING)].concat(),
            protocol,
        ),
        ("a close of one byte", close(&[3]), protocol),
        ("a close with a code that may not travel", close(&1005_u16.to_be_bytes()), protocol),
        ("a close with a code below all", close(&999_u16.to_be_bytes()), protocol),
        ("text that is no UTF-8", frame(true, Opcode::Text, b"{\"frame\":\"\xc3\x28\"}"), encoding),
        (
            "pieces that are no UTF-8 together",
            [part(false, Opcode::Text, b"\xc3"), part(true, Opcode::Continuation, b"\x28")].concat(),
            encoding,
        ),
        ("text that ends inside a letter", frame(true, Opcode::Text, b"\xe2\x82"), encoding),
        ("a surrogate", frame(true, Opcode::Text, b"\xed\xa0\x80"), encoding),
        ("a declared length of 16 MiB", frame_head(FIN | 1, 16 * 1024 * 1024), size),
        ("16 KiB and a byte", frame(true, Opcode::Text, &[b'x'; 16 * 1024 + 1]), size),
        (
            "pieces of more than 16 KiB together",
            [part(false, Opcode::Text, &half), part(false, Opcode::Continuation, &half)].concat(),
            size,
        ),
    ];
    for (number, (what, bytes, code)) in (0..).zip(violations) {
        let mut session = RawSession::open(&gateway, &token).await;
        session.send(&bytes).await;
        assert_eq!(session.expect_close().await, code.code(), "{what}");
        gateway.publish(&event("acme", "devis:signed", number)).await;
        assert_eq!(n(&witness.event().await), number, "{what}");
    }
    gateway.metric_becomes("gateway_connections{state=\"active\"}", 1.0).await;
}

#[tokio::test]
async fn a_length_beyond_all_bounds_ends_the_connection() {
    let gateway = Launch::new().start().await;
    let before = gateway.resident_bytes();
    for length in [1 << 40, u64::MAX >> 1, u64::MAX] {
        let mut session = RawSession::open(&gateway, &Token::user("acme", "anna").sign()).await;
        session.send(&frame_head(FIN | 1, length)).await;
        let code = session.expect_close().await;
        assert!([1002, 1009].contains(&code), "{length}: {code}");
    }
    let growth = gateway.resident_bytes().saturating_sub(before);
    assert!(growth < 8 * 1024 * 1024, "what is declared is not allocated: {growth}");
}

#[tokio::test]
async fn a_message_in_pieces_is_put_together_and_control_frames_pass_between() {
    let gateway = Launch::new().start().await;
    let mut session = RawSession::open(&gateway, &Token::user("acme", "anna").sign()).await;

    session.send(&frame(false, Opcode::Text, &PING[..4])).await;
    session.send(&frame(true, Opcode::Ping, b"in between")).await;
    assert_eq!(session.expect(Opcode::Pong).await.payload, b"in between");
    session.send(&frame(false, Opcode::Continuation, b"")).await;
    session.send(&frame(true, Opcode::Pong, b"unasked")).await;
    session.send(&frame(true, Opcode::Continuation, &PING[4..])).await;
    assert_eq!(session.expect(Opcode::Text).await.text(), PONG);

    // A letter of two bytes that is cut in two is whole in the end: an unknown frame, not bad text.
    session.send(&frame(false, Opcode::Text, b"\xc3")).await;
    session.send(&frame(true, Opcode::Continuation, b"\xa9")).await;
    assert!(session.expect(Opcode::Text).await.text().contains("unknown_frame"));

    session.trickle(&frame(true, Opcode::Text, PING)).await;
    assert_eq!(session.expect(Opcode::Text).await.text(), PONG);
}

#[tokio::test]
async fn a_message_in_ten_thousand_pieces_is_bounded() {
    let gateway = Launch::new().start().await;
    let mut session = RawSession::open(&gateway, &Token::user("acme", "anna").sign()).await;

    session.send(&frame(false, Opcode::Text, b"xx")).await;
    let piece = frame(false, Opcode::Continuation, b"xx");
    session.send(&piece.repeat(10_000)).await;

    let code = session.expect_close().await;
    assert!([1008, 1009].contains(&code), "{code}");
}

#[tokio::test]
async fn a_close_is_answered_with_its_code_and_the_connection_ends() {
    let gateway = Launch::new().start().await;
    for (payload, code) in [(&b"\x03\xe8bye"[..], Some(1000)), (b"\x0f\xa0", Some(4000)), (b"", None)] {
        let mut session = RawSession::open(&gateway, &Token::user("acme", "anna").sign()).await;
        session.send(&close(payload)).await;
        let answer = session.expect(Opcode::Close).await;
        // RFC 6455 has the answer echo the code; 1000 says as much.
        assert!([code, Some(1000), None].contains(&answer.close_code()), "{answer:?}");
        assert_eq!(session.next().await, None);
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_nothing_behind() {
    let gateway = Launch::new().start().await;
    let token = Token::user("acme", "anna").sign();
    let mut cut = vec![];
    for _ in 0..10 {
        cut.push(RawSession::open(&gateway, &token).await);
    }
    gateway.metric_becomes("gateway_connections{state=\"active\"}", 10.0).await;

    for mut session in cut {
        session.send(&frame(false, Opcode::Text, b"half a mess")).await;
        session.reset();
    }

    gateway.metric_becomes("gateway_connections{state=\"active\"}", 0.0).await;
}
