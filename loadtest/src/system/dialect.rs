//! How a system is spoken to. Pure: the sockets are in [`client`](crate::client).

use std::borrow::Cow;

use shared::{CompanyId, Cursor, Resume};

/// Who wants a session.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    /// Its number among all.
    pub(crate) number: usize,
    /// The room that it belongs to.
    pub(crate) room: CompanyId,
    /// Its JWT: HS256, claims `sub`, `companyId`, `exp`.
    pub(crate) token: String,
    /// The place to resume from.
    pub(crate) after: Option<Cursor>,
}

/// What comes next on the way to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// Wait for another frame.
    Wait,
    /// Send this, then wait.
    Say(Vec<u8>),
    /// It is in its room and gets every event from now on.
    Ready {
        /// The place that it stands at, where the system numbers events.
        at: Cursor,
        /// What became of the place that it brought.
        resume: Resume,
    },
    /// It is not let in, and why.
    Refused(String),
}

impl Greeting {
    /// In, at the beginning of a room in which nothing has happened yet.
    pub(crate) const READY: Self = Self::Ready { at: Cursor::EMPTY, resume: Resume::Fresh };
}

/// What a frame holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// An event: bytes that hold the marks of its JSON, as it lies or escaped within a string.
    Event(&'a [u8]),
    /// An event whose place the system itself says.
    Placed(Cursor, &'a [u8]),
    /// A question of the server's; this is the answer to send.
    Asked(Cow<'static, [u8]>),
    /// The server says that events may be missing, and goes on from a place.
    Resync(Cursor),
    /// The server closes the session, and why.
    Over(String),
}

/// How to open a session, and what its frames mean. WebSocket's own pings and closes are seen to elsewhere.
pub(crate) trait Dialect: Send + Sync {
    /// The whole upgrade request. Key and version may be those of [`upgrade`].
    fn request(&self, host: &str, ticket: &Ticket) -> Vec<u8>;

    /// What to do after the upgrade (`None`), and after each frame until the session is in.
    fn greet(&self, ticket: &Ticket, frame: Option<&[u8]>) -> Greeting;

    /// Calls `each` for whatever a frame holds that matters, in order: mostly one event, none for a heartbeat.
    fn hear<'a>(&self, frame: &'a [u8], each: &mut dyn FnMut(Heard<'a>));

    /// Whether what is said goes in binary frames; else as text.
    fn binary(&self) -> bool {
        false
    }
}

/// An upgrade request for a path with its query; `more` are header lines, each with its line end.
pub(crate) fn upgrade(host: &str, target: &str, more: &str) -> Vec<u8> {
    // The key is constant and the echo of it not checked: it protects proxies, and there are none.
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
    .into_bytes()
}
