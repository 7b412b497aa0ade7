//! A reader of event streams over a bare socket, which reads no further than the test asks: one that stalls, stalls.

use serde_json::Value;
use shared::{CompanyId, Cursor, EventFrame, Resume, ServerFrame};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{
    Api, PATIENCE, Request, Response,
    http::read_chunk,
    raw::{connect, narrow_socket},
};

/// One event of a stream as it is on the wire: the fields of the format, and the frame in its `data`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: Option<Cursor>,
    pub(crate) name: String,
    pub(crate) frame: ServerFrame,
}

/// An event stream whose `welcome` has been read. Letting go of it cuts the connection.
pub(crate) struct Stream {
    pub(crate) head: Response,
    /// The `welcome`: where it stands, what became of the cursor, and the pace of heartbeats.
    pub(crate) company_id: CompanyId,
    pub(crate) last_event_id: Cursor,
    /// What a browser would come back with if nothing followed.
    pub(crate) welcome_id: Option<Cursor>,
    pub(crate) resume: Resume,
    pub(crate) heartbeat_ms: u64,
    /// How long a browser is to wait before it reconnects, in milliseconds.
    pub(crate) retry_ms: u64,
    socket: TcpStream,
    /// Read, but chunks still.
    raw: Vec<u8>,
    /// Text of the stream without an end yet.
    text: Vec<u8>,
}

impl Stream {
    /// Opens a stream with a query and headers of the test's own.
    pub(crate) async fn open(api: &Api, request: Request) -> Self {
        Self::open_on(TcpSocket::new_v4().unwrap(), api, request).await
    }

    /// Opens a stream over a socket with as small a receive buffer as there can be.
    pub(crate) async fn open_narrow(api: &Api, request: Request) -> Self {
        Self::open_on(narrow_socket(), api, request).await
    }

    /// Tries to open a stream; the head of the answer if it is refused.
    pub(crate) async fn try_open(api: &Api, request: Request) -> Result<Self, Response> {
        Self::try_open_on(TcpSocket::new_v4().unwrap(), api, request).await
    }

    async fn open_on(socket: TcpSocket, api: &Api, request: Request) -> Self {
        Self::try_open_on(socket, api, request).await.unwrap_or_else(|head| panic!("refused: {head:?}"))
    }

    async fn try_open_on(socket: TcpSocket, api: &Api, request: Request) -> Result<Self, Response> {
        let mut socket = connect(socket, api.public).await;
        // As browsers do: the connection is not said to end with the answer.
        let request = request.header("Accept", "text/event-stream").header("Connection", "keep-alive");
        socket.write_all(&request.encode(api.public)).await.unwrap();
        let mut raw = Vec::new();
        let head = timeout(PATIENCE, Response::read_head(&mut socket, &mut raw)).await.expect("no answer").unwrap();
        if head.status != 200 {
            return Err(head);
        }
        assert_eq!(head.header("content-type"), Some("text/event-stream"), "{head:?}");
        assert!(head.is_chunked(), "{head:?}");
        let company_id = CompanyId::parse("unknown").unwrap();
        let mut stream = Self {
            head,
            company_id,
            last_event_id: Cursor::EMPTY,
            welcome_id: None,
            resume: Resume::Fresh,
            heartbeat_ms: 0,
            retry_ms: 0,
            socket,
            raw,
            text: vec![],
        };
        stream.read_welcome().await;
        Ok(stream)
    }

    async fn read_welcome(&mut self) {
        let retry = self.block().await.expect("the stream ended at once");
        let retry_ms = retry.strip_prefix("retry: ").and_then(|number| number.parse().ok());
        self.retry_ms = retry_ms.unwrap_or_else(|| panic!("the delay comes first, not {retry:?}"));
        let message = self.message().await.expect("it ended before the welcome");
        let ServerFrame::Welcome { company_id, last_event_id, resume, heartbeat_ms, .. } = message.frame else {
            panic!("the first frame must be welcome, not {message:?}")
        };
        (self.company_id, self.welcome_id, self.last_event_id) = (company_id, message.id, last_event_id);
        (self.resume, self.heartbeat_ms) = (resume, heartbeat_ms);
    }

    /// Whatever comes next, `None` at the proper end of the body.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        let block = self.block().await?;
        let field = |name: &str| {
            let mut values = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let value = values.next().map(str::to_owned);
            assert_eq!(values.next(), None, "{name} twice: {block}");
            value
        };
        let (id, name, data) = (field("id"), field("event"), field("data"));
        assert_eq!(block.lines().count(), 2 + usize::from(id.is_some()), "more than was asked for: {block}");
        let data = data.unwrap_or_else(|| panic!("no data: {block}"));
        let json: Value = serde_json::from_str(&data).unwrap_or_else(|error| panic!("not JSON: {error}: {data}"));
        let name = name.unwrap_or_else(|| panic!("no name: {block}"));
        assert_eq!(json["frame"], *name, "the event's name is that of its frame");
        let frame = serde_json::from_value(json).unwrap_or_else(|error| panic!("not a frame: {error}: {data}"));
        Some(Message { id: id.map(|id| id.parse().unwrap()), name, frame })
    }

    /// The next message that is not a heartbeat; the stream must not end before it.
    pub(crate) async fn next(&mut self) -> Message {
        loop {
            let message = self.message().await.expect("the stream ended");
            if message.frame != (ServerFrame::Heartbeat {}) {
                return message;
            }
        }
    }

    /// The next message past heartbeats, which must be an event under its own id.
    pub(crate) async fn event(&mut self) -> EventFrame {
        match self.next().await {
            Message { id, frame: ServerFrame::Event(event), .. } => {
                assert_eq!(id, Some(event.id), "a browser would come back with another place");
                event
            }
            other => panic!("an event was to come, not {other:?}"),
        }
    }

    /// The next `count` messages, which must all be events.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<EventFrame> {
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            events.push(self.event().await);
        }
        events
    }

    /// The next message, which must be an `error` and the last one; its code.
    pub(crate) async fn expect_error_and_end(&mut self) -> String {
        let ServerFrame::Error { code, message } = self.next().await.frame else { panic!("an error was to come") };
        assert!(!message.is_empty(), "{code} says nothing");
        self.expect_end().await;
        code
    }

    /// The body ends as it should, with nothing behind it.
    pub(crate) async fn expect_end(&mut self) {
        let next = self.message().await;
        assert_eq!(next, None, "the stream was to end");
    }

    /// The text up to the next empty line.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.text.windows(2).position(|window| window == b"\n\n") {
                let rest = self.text.split_off(at + 2);
                let block = std::mem::replace(&mut self.text, rest);
                return Some(String::from_utf8(block).unwrap().trim_end().to_owned());
            }
            match timeout(PATIENCE, read_chunk(&mut self.socket, &mut self.raw)).await {
                Ok(Ok(Some(chunk))) => self.text.extend(chunk),
                Ok(Ok(None)) => {
                    assert!(self.text.is_empty(), "it ended within {:?}", String::from_utf8_lossy(&self.text));
                    return None;
                }
                Ok(Err(error)) => panic!("the stream broke off: {error}"),
                Err(_) => panic!("nothing came for {PATIENCE:?}"),
            }
        }
    }
}

impl Api {
    /// Opens a stream.
    pub(crate) async fn stream(&self, token: &str) -> Stream {
        Stream::open(self, Request::get("/v1/sse").bearer(token)).await
    }

    /// Opens a stream again as a browser does, with the id of the last message that had one.
    pub(crate) async fn stream_from(&self, token: &str, cursor: Cursor) -> Stream {
        let request = Request::get("/v1/sse").bearer(token).header("Last-Event-ID", &cursor.to_string());
        Stream::open(self, request).await
    }
}
