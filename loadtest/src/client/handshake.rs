//! What the answer to an upgrade says.

use std::time::Duration;

use crate::defaults::RETRY_AFTER_CAP;

/// The answer to an upgrade.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// More bytes are needed.
    Partial,
    /// It is a WebSocket from this byte on.
    Switched(usize),
    /// Refused with this status.
    Refused(u16, Option<Duration>),
}

/// Reads an answer.
pub(super) fn answer(bytes: &[u8]) -> Result<Answer, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(Answer::Partial) };
    if response.code == Some(101) {
        return Ok(Answer::Switched(length));
    }
    let retry_after = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("retry-after"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_CAP));
    Ok(Answer::Refused(response.code.unwrap_or_default(), retry_after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        assert_eq!(answer(&switched[..40]), Ok(Answer::Partial));
        let mut with_frame = switched.to_vec();
        with_frame.push(0x81);
        assert_eq!(answer(&with_frame), Ok(Answer::Switched(switched.len())));
        let refused = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(answer(refused), Ok(Answer::Refused(429, Some(Duration::from_secs(7)))));
        assert!(answer(b"SSH-2.0\r\n\r\n").is_err());
    }
}
