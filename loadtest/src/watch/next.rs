//! What the end of a connection asks of a client (section 4 of the contract, `docs/protocol.md`).

use std::time::Duration;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Reconnect and resume, soon.
    Resume,
    /// Reconnect and resume after a pause, at least so long where one is asked for.
    BackOff(Option<Duration>),
    /// Nothing helps but a new token.
    NewToken,
    /// Do not come back.
    Stop,
}

/// After a close frame; `None` when the connection broke without one.
pub(super) fn after_close(code: Option<u16>) -> Next {
    match code {
        Some(1001 | 1012 | 4408) => Next::Resume,
        Some(4401) => Next::NewToken,
        Some(4403 | 1009) => Next::Stop,
        // 1008, 1013, 4429, what is not known, and a broken line: it may be crowded there.
        _ => Next::BackOff(None),
    }
}

/// After an upgrade that was refused with this status.
pub(super) fn after_refusal(status: u16, retry_after: Option<Duration>) -> Next {
    match status {
        401 => Next::NewToken,
        408 | 429 | 500..=599 => Next::BackOff(retry_after),
        // The request itself is wrong (or this is no gateway): the same one again gets the same answer.
        _ => Next::Stop,
    }
}

#[cfg(test)]
mod tests {
    use shared::CloseCode;

    use super::*;

    #[test]
    fn every_close_code_of_the_contract_has_its_answer() {
        for code in CloseCode::ALL {
            let expected = match code {
                CloseCode::GoingAway | CloseCode::Restart | CloseCode::SlowConsumer => Next::Resume,
                CloseCode::TokenExpired => Next::NewToken,
                CloseCode::Forbidden | CloseCode::TooBig => Next::Stop,
                _ => Next::BackOff(None),
            };
            assert_eq!(after_close(Some(code.code())), expected, "{code:?}");
        }
        assert_eq!(after_close(None), Next::BackOff(None));
    }

    #[test]
    fn refusals_are_obeyed() {
        let wait = Some(Duration::from_secs(7));
        assert_eq!(after_refusal(401, None), Next::NewToken);
        assert_eq!(after_refusal(403, None), Next::Stop);
        assert_eq!(after_refusal(400, None), Next::Stop);
        assert_eq!(after_refusal(429, wait), Next::BackOff(wait));
        assert_eq!(after_refusal(503, wait), Next::BackOff(wait));
    }
}
