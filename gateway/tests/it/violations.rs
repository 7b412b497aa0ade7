//! Bytes that RFC 6455 forbids end the connection that sent them, with the right code, and no other.

use shared::CloseCode;

use crate::support::{Launch, Opcode, RawSession, Token, event, eventually, frame, frame_head, frame_with, n};

const PING: &[u8] = br#"{"frame":"ping"}"#;
const PONG: &str = r#"{"frame":"pong"}"#;
const FIN: u8 = 0x80;

/// The close frame that a client sends with these bytes.
fn close(payload: &[u8]) -> Vec<u8> {
    frame(true, Opcode::Close, payload)
}

/// A frame as a server would send it: without a mask.
fn unmasked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[FIN | opcode, u8::try_from(payload.len()).unwrap()], payload].concat()
}

fn ping() -> Vec<u8> {
    frame(true, Opcode::Ping, b"between")
}

/// What is no UTF-8, each at least two bytes long so that it can be cut.
const BAD_UTF8: [(&str, &[u8]); 12] = [
    ("a stray continuation byte", b"a\x80"),
    ("an invalid second byte", b"\xc3\x28"),
    ("half a letter", b"\xe2\x82"),
    ("half a letter of four bytes", b"\xf0\x9f\x98"),
    ("an overlong slash", b"\xc0\xaf"),
    ("an overlong slash of three bytes", b"\xe0\x80\xaf"),
    ("an overlong NUL", b"\xc0\x80"),
    ("the first surrogate", b"\xed\xa0\x80"),
    ("a pair of surrogates", b"\xed\xa0\xbd\xed\xb8\x80"),
    ("a letter beyond Unicode", b"\xf4\x90\x80\x80"),
    ("a letter of five bytes", b"\xf8\x88\x80\x80\x80"),
    ("a byte that never occurs", b"a\xff"),
];

#[tokio::test]
async fn a_violation_ends_only_the_connection_that_committed_it() {
    let gateway = Launch::new().start().await;
    let token = Token::user("acme", "anna").sign();
    let mut witness = gateway.connect(&token).await;
    let part = |fin, opcode, payload: &[u8]| frame(fin, opcode, payload);
    let (protocol, encoding, size) = (CloseCode::Protocol, CloseCode::InvalidPayload, CloseCode::TooBig);
    let (limit, half, empty) = (CloseCode::Policy, vec![b'x'; 9 * 1024], part(false, Opcode::Continuation, b""));

    let mut violations: Vec<(String, Vec<u8>, CloseCode)> = vec![];
    let mut forbid = |what: String, bytes: Vec<u8>, code| violations.push((what, bytes, code));
    for opcode in [0, 1, 2, 8, 9, 10] {
        forbid(format!("no mask on opcode {opcode}"), unmasked(opcode, PING), protocol);
        for bits in 1..8 {
            forbid(
                format!("reserved bits {bits:03b} on opcode {opcode}"),
                frame_with(FIN | bits << 4 | opcode, b""),
                protocol,
            );
        }
    }
    for opcode in (3..8).chain(11..16) {
        for payload in [&b""[..], PING] {
            let what = format!("reserved opcode {opcode} with {} bytes", payload.len());
            forbid(what, frame_with(FIN | opcode, payload), protocol);
        }
        forbid(
            format!("reserved opcode {opcode} after a ping"),
            [ping(), frame_with(FIN | opcode, b"")].concat(),
            protocol,
        );
    }
    for (name, opcode) in [("ping", Opcode::Ping), ("pong", Opcode::Pong), ("close", Opcode::Close)] {
        let long = [&[3, 232][..], &[b'x'; 124]].concat();
        forbid(format!("a {name} of 126 bytes"), frame(true, opcode, &long), protocol);
        forbid(format!("a {name} that declares 64 KiB"), frame_head(FIN | opcode as u8, 65_536), protocol);
        forbid(format!("a {name} in pieces"), frame(false, opcode, &[3, 232]), protocol);
        let inside = [part(false, Opcode::Text, b"{"), frame(false, opcode, &[3, 232])].concat();
        forbid(format!("a {name} in pieces inside a message"), inside, protocol);
    }
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        for reason in [&b""[..], b"why"] {
            let payload = [&code.to_be_bytes(), reason].concat();
            forbid(format!("a close with code {code} and {} bytes of reason", reason.len()), close(&payload), protocol);
        }
    }
    forbid("a close of one byte".into(), close(&[3]), protocol);
    for (name, bytes) in BAD_UTF8 {
        forbid(format!("text with {name}"), frame(true, Opcode::Text, bytes), encoding);
        forbid(format!("a close with {name}"), close(&[&[3, 232][..], bytes].concat()), encoding);
        let (start, end) = bytes.split_at(1);
        let pieces = [part(false, Opcode::Text, start), ping(), part(true, Opcode::Continuation, end)];
        forbid(format!("pieces that are {name} together"), pieces.concat(), encoding);
    }
    for (what, bytes, code) in [
        ("a continuation of nothing", frame(true, Opcode::Continuation, PING), protocol),
        ("an empty continuation of nothing", frame(true, Opcode::Continuation, b""), protocol),
        ("an open continuation of nothing", frame(false, Opcode::Continuation, PING), protocol),
        (
            "a continuation after a whole message",
            [part(true, Opcode::Text, PING), part(true, Opcode::Continuation, b"x")].concat(),
            protocol,
        ),
        (
            "a message inside a message",
            [part(false, Opcode::Text, b"{"), part(true, Opcode::Text, PING)].concat(),
            protocol,
        ),
        (
            "a binary message inside a text",
            [part(false, Opcode::Text, b"{"), frame_with(FIN | 2, b"x")].concat(),
            protocol,
        ),
        ("a declared length of 16 MiB", frame_head(FIN | 1, 16 * 1024 * 1024), size),
        ("a binary message of a declared 16 MiB", frame_head(FIN | 2, 16 * 1024 * 1024), size),
        ("16 KiB and a byte", frame(true, Opcode::Text, &[b'x'; 16 * 1024 + 1]), size),
        (
            "pieces of more than 16 KiB together",
            [part(false, Opcode::Text, &half), part(false, Opcode::Continuation, &half)].concat(),
            size,
        ),
        ("thousands of empty pieces", [part(false, Opcode::Text, b""), empty.repeat(5_000)].concat(), limit),
        ("thousands of pings", ping().repeat(5_000), limit),
        ("thousands of pongs", frame(true, Opcode::Pong, b"").repeat(5_000), limit),
        ("thousands of ping frames", frame(true, Opcode::Text, PING).repeat(5_000), limit),
    ] {
        forbid(what.into(), bytes, code);
    }
    for (number, (what, bytes, code)) in (0..).zip(violations) {
        let mut session = RawSession::open(&gateway, &token).await;
        session.send(&bytes).await;
        assert_eq!(session.close_past_pongs().await, Some(code.code()), "{what}");
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
    let codes = [1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let bare = codes.map(|code| (code.to_be_bytes().to_vec(), Some(code)));
    let longest = [&[3, 232][..], &[b'x'; 123]].concat();
    let others = [(b"\x03\xe8bye \xc3\xa9".to_vec(), Some(1000)), (longest, Some(1000)), (vec![], None)];
    for (payload, code) in bare.into_iter().chain(others) {
        let mut session = RawSession::open(&gateway, &Token::user("acme", "anna").sign()).await;
        session.send(&close(&payload)).await;
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

#[tokio::test]
async fn who_goes_on_after_being_told_to_go_is_cut_off() {
    let gateway = Launch::new().start().await;
    let mut session = RawSession::open(&gateway, &Token::user("acme", "anna").sign()).await;
    session.send(&frame_with(FIN | 3, b"")).await;
    assert_eq!(session.close_past_pongs().await, Some(CloseCode::Protocol.code()));

    // Long before the time that it has for its answer is over.
    eventually("the end", async || {
        session.send(&frame(true, Opcode::Text, PING)).await;
        match gateway.metric("gateway_connections{state=\"active\"}").await {
            0.0 => Ok(()),
            still => Err(still),
        }
    })
    .await;
    assert_eq!(session.next().await, None);
}
