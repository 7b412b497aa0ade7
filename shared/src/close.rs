//! Why a WebSocket ended. What a client should do about each is in `docs/protocol.md`.

/// The codes that the gateway closes a WebSocket with.
///
/// ```
/// assert_eq!(shared::CloseCode::SlowConsumer.code(), 4408);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseCode {
    /// The client closed first.
    Normal = 1000,
    /// The replica goes away: reconnect and resume.
    GoingAway = 1001,
    /// A frame that RFC 6455 forbids.
    Protocol = 1002,
    /// Text that is not UTF-8.
    InvalidPayload = 1007,
    /// Broke the rules of this protocol, or a limit: back off, then reconnect.
    Policy = 1008,
    /// A message over the size limit: do not repeat it.
    TooBig = 1009,
    /// The replica restarts or asked the client to move: reconnect and resume.
    Restart = 1012,
    /// The replica has too much to do: back off, then reconnect.
    Overloaded = 1013,
    /// The token expired or is not valid: get a new one, reconnect and resume.
    TokenExpired = 4401,
    /// Revoked or not allowed: stop.
    Forbidden = 4403,
    /// Did not read fast enough: reconnect and resume.
    SlowConsumer = 4408,
    /// Too many connections for this user or company: back off.
    TooManyConnections = 4429,
}

impl CloseCode {
    /// Every code, for tables and tests.
    pub const ALL: [Self; 12] = [
        Self::Normal,
        Self::GoingAway,
        Self::Protocol,
        Self::InvalidPayload,
        Self::Policy,
        Self::TooBig,
        Self::Restart,
        Self::Overloaded,
        Self::TokenExpired,
        Self::Forbidden,
        Self::SlowConsumer,
        Self::TooManyConnections,
    ];

    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// Whether what waits to be sent is not sent any more: its reader has no right to it.
    #[must_use]
    pub fn withholds(self) -> bool {
        matches!(self, Self::TokenExpired | Self::Forbidden)
    }

    /// The short reason that travels with the code (at most 123 bytes) and names it in metrics.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Normal => "closed",
            Self::GoingAway => "going away",
            Self::Protocol => "protocol error",
            Self::InvalidPayload => "invalid utf-8",
            Self::Policy => "policy violation",
            Self::TooBig => "message too big",
            Self::Restart => "restart",
            Self::Overloaded => "overloaded",
            Self::TokenExpired => "token expired",
            Self::Forbidden => "forbidden",
            Self::SlowConsumer => "slow consumer",
            Self::TooManyConnections => "too many connections",
        }
    }
}
