//! Cuts a byte stream into WebSocket frames. What a server sends is not masked, so a payload is borrowed as it lies.

use crate::defaults::MAX_PAYLOAD;

/// A text frame.
pub(super) const TEXT: u8 = 1;
/// A binary frame.
pub(super) const BINARY: u8 = 2;
/// The end of the connection.
pub(super) const CLOSE: u8 = 8;
/// To be answered with a pong.
pub(super) const PING: u8 = 9;
/// The answer to a ping.
pub(super) const PONG: u8 = 10;

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// What it is.
    pub(super) opcode: u8,
    /// What it holds.
    pub(super) payload: &'a [u8],
}

/// The bytes are not what a server of ours sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameError {
    /// Extension bits, which were not negotiated.
    Reserved,
    /// Masked, which servers must not.
    Masked,
    /// In pieces, which the gateway never sends.
    Fragmented,
    /// Larger than anything that the contract allows.
    TooBig,
}

/// The first frame of `bytes` and the length that it takes; `None` while it is not complete.
pub(super) fn next_frame(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let [first, second, ..] = *bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved);
    }
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let opcode = first & 0x0f;
    if first & 0x80 == 0 || opcode == 0 {
        return Err(FrameError::Fragmented);
    }
    let (header, length) = match second {
        126 => match bytes.get(2..4) {
            Some(&[a, b]) => (4, usize::from(u16::from_be_bytes([a, b]))),
            _ => return Ok(None),
        },
        127 => match bytes.get(2..10).and_then(|long| <[u8; 8]>::try_from(long).ok()) {
            Some(long) => (10, usize::try_from(u64::from_be_bytes(long)).unwrap_or(usize::MAX)),
            None => return Ok(None),
        },
        short => (2, usize::from(short)),
    };
    if length > MAX_PAYLOAD {
        return Err(FrameError::TooBig);
    }
    let end = header + length;
    Ok(bytes.get(header..end).map(|payload| (Frame { opcode, payload }, end)))
}

/// A frame from a client. The mask is zero: it hides nothing on a loopback.
pub(super) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(usize::from(u16::MAX))];
    let mut frame = Vec::with_capacity(8 + payload.len());
    frame.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len()).unwrap_or(u16::MAX)) {
        (Ok(short @ ..=125), _) => frame.push(0x80 | short),
        (_, long) => {
            frame.push(0x80 | 126);
            frame.extend(long.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn server_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ 0..=125 => frame.push(u8::try_from(short).unwrap()),
            medium @ 126..=0xffff => {
                frame.push(126);
                frame.extend(u16::try_from(medium).unwrap().to_be_bytes());
            }
            long => {
                frame.push(127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        frame
    }

    #[test]
    fn what_a_server_must_not_send_is_refused() {
        let cases: &[(&[u8], FrameError)] = &[
            (&[0xc1, 0], FrameError::Reserved),
            (&[0x81, 0x80], FrameError::Masked),
            (&[0x01, 0], FrameError::Fragmented),
            (&[0x80, 0], FrameError::Fragmented),
            (&[0x81, 127, 0, 0, 0, 0, 2, 0, 0, 0], FrameError::TooBig),
            (&[0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255], FrameError::TooBig),
        ];
        for (bytes, error) in cases {
            assert_eq!(next_frame(bytes), Err(*error));
        }
    }

    #[test]
    fn a_pong_is_masked_and_carries_the_payload_of_the_ping() {
        assert_eq!(masked(PONG, b"ab"), [0x8a, 0x82, 0, 0, 0, 0, b'a', b'b']);
        assert_eq!(masked(TEXT, &[b'x'; 300])[..9], [0x81, 0xfe, 1, 44, 0, 0, 0, 0, b'x']);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(lengths in prop::collection::vec(0usize..70_000, 1..6), cut: prop::sample::Index) {
            let payloads: Vec<Vec<u8>> = lengths.iter().map(|&length| vec![b'x'; length]).collect();
            let bytes: Vec<u8> = payloads.iter().flat_map(|payload| server_frame(TEXT, payload)).collect();
            let mut rest = &bytes[..];
            for payload in &payloads {
                let (frame, used) = next_frame(rest).unwrap().unwrap();
                prop_assert_eq!(frame, Frame { opcode: TEXT, payload });
                let cut = cut.index(used);
                prop_assert_eq!(next_frame(&rest[..cut]), Ok(None), "a frame is complete only with its last byte");
                rest = &rest[used..];
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn no_bytes_can_make_it_panic(bytes: Vec<u8>) {
            let _ = next_frame(&bytes);
        }
    }
}
