//! A WebSocket client that keeps every frame until the test asks for it, so that none can be missed.

use std::net::SocketAddr;

use chrono::{DateTime, Utc};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::Value;
use shared::{CompanyId, Cursor, DeliveryState, EventFrame, Resume, ServerFrame};
use tokio::{net::TcpStream, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Bytes, Message, client::IntoClientRequest, http::HeaderName},
};

use super::PATIENCE;

/// What reaches a client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Incoming {
    Frame(ServerFrame),
    /// A WebSocket pong, not the frame of that name.
    Pong(Vec<u8>),
    Close(u16),
    /// The connection ended without a close frame.
    Gone(String),
}

/// The first frame of a session.
#[derive(Debug, Clone)]
pub(crate) struct Welcome {
    pub(crate) session: String,
    pub(crate) company_id: CompanyId,
    pub(crate) last_event_id: Cursor,
    pub(crate) resume: Resume,
    pub(crate) heartbeat_ms: u64,
    pub(crate) token_expires_at: DateTime<Utc>,
}

/// One session. Letting go of it cuts the connection without a goodbye.
pub(crate) struct Client {
    pub(crate) welcome: Welcome,
    /// The subprotocol that the gateway selected.
    pub(crate) protocol: Option<String>,
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    inbox: Inbox,
    reader: JoinHandle<()>,
}

impl Client {
    /// Opens a session, whose first frame must be `welcome`.
    pub(crate) async fn open(server: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = format!("ws://{server}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let opening = async { client_async(request, TcpStream::connect(server).await?).await };
        let (socket, response) = timeout(PATIENCE, opening)
            .await
            .unwrap_or_else(|_| panic!("{path}: no session in {PATIENCE:?}"))
            .unwrap_or_else(|error| panic!("{path}: no session: {error}"));
        let protocol = response.headers().get("sec-websocket-protocol").map(|value| value.to_str().unwrap().to_owned());
        let (sink, stream) = socket.split();
        // More than any test publishes; it is bounded because every queue here is.
        let (queue, received) = mpsc::channel(100_000);
        let reader = tokio::spawn(read(stream, queue));
        let mut inbox = Inbox { received, seen: vec![] };
        let welcome = inbox.welcome().await;
        Self { welcome, protocol, sink, inbox, reader }
    }

    /// Whatever comes next.
    pub(crate) async fn next(&mut self) -> Incoming {
        self.inbox.next().await
    }

    /// The next frame; the session must not end before it.
    pub(crate) async fn frame(&mut self) -> ServerFrame {
        match self.next().await {
            Incoming::Frame(frame) => frame,
            other => panic!("a frame was to come, not {other:?}; {}", self.inbox.story()),
        }
    }

    /// The next frame, which must be an event.
    pub(crate) async fn event(&mut self) -> EventFrame {
        match self.frame().await {
            ServerFrame::Event(event) => event,
            other => panic!("an event was to come, not {other:?}; {}", self.inbox.story()),
        }
    }

    /// The next `count` frames, which must all be events.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<EventFrame> {
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            events.push(self.event().await);
        }
        events
    }

    /// The next event, past whatever is said about delivery. Its place alone may tell of a loss: a `resync` is none.
    pub(crate) async fn event_past_status(&mut self) -> EventFrame {
        loop {
            match self.frame().await {
                ServerFrame::Event(event) => return event,
                ServerFrame::Status { .. } => {}
                other => panic!("an event was to come, not {other:?}; {}", self.inbox.story()),
            }
        }
    }

    /// The next frame, which must be this status.
    pub(crate) async fn expect_status(&mut self, expected: DeliveryState) {
        assert_eq!(self.frame().await, ServerFrame::Status { delivery: expected }, "{}", self.inbox.story());
    }

    /// The next frame, which must be a `resync`; the place to go on from.
    pub(crate) async fn expect_resync(&mut self) -> Cursor {
        match self.frame().await {
            ServerFrame::Resync { last_event_id, .. } => last_event_id,
            other => panic!("a resync was to come, not {other:?}; {}", self.inbox.story()),
        }
    }

    /// The next frame, which must be an `error`; its code.
    pub(crate) async fn expect_error(&mut self) -> String {
        match self.frame().await {
            ServerFrame::Error { code, message } if !message.is_empty() => code,
            other => panic!("an error was to come, not {other:?}; {}", self.inbox.story()),
        }
    }

    /// The code that the gateway closes the session with, past any frames before.
    pub(crate) async fn expect_close(&mut self) -> u16 {
        loop {
            match self.next().await {
                Incoming::Close(code) => return code,
                Incoming::Gone(how) => panic!("it ended without a close frame ({how}); {}", self.inbox.story()),
                Incoming::Frame(_) | Incoming::Pong(_) => {}
            }
        }
    }

    /// Sends a client frame, or anything else as JSON.
    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_message(Message::text(frame.to_string())).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    pub(crate) async fn send_binary(&mut self, bytes: &'static [u8]) {
        self.send_message(Message::Binary(Bytes::from_static(bytes))).await;
    }

    /// Sends a WebSocket ping, not the frame of that name.
    pub(crate) async fn send_ping(&mut self, payload: &'static [u8]) {
        self.send_message(Message::Ping(Bytes::from_static(payload))).await;
    }

    /// Sends if it still can: what the gateway has closed, it need not read.
    async fn send_message(&mut self, message: Message) {
        let _ = timeout(PATIENCE, self.sink.send(message)).await.expect("the gateway stopped reading");
    }

    /// Says goodbye as a browser does and waits for the answer, whatever comes before it.
    pub(crate) async fn close(mut self) {
        self.send_message(Message::Close(None)).await;
        self.expect_close().await;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// What has arrived, and what of it the test has looked at.
struct Inbox {
    received: mpsc::Receiver<Incoming>,
    seen: Vec<Incoming>,
}

impl Inbox {
    async fn next(&mut self) -> Incoming {
        loop {
            let next = match timeout(PATIENCE, self.received.recv()).await {
                Ok(Some(next)) => next,
                Ok(None) => Incoming::Gone("nothing comes any more".to_owned()),
                Err(_) => panic!("nothing came for {PATIENCE:?}; {}", self.story()),
            };
            if next != Incoming::Frame(ServerFrame::Heartbeat {}) {
                self.seen.push(next.clone());
                return next;
            }
        }
    }

    async fn welcome(&mut self) -> Welcome {
        match self.next().await {
            Incoming::Frame(ServerFrame::Welcome {
                session,
                company_id,
                last_event_id,
                resume,
                heartbeat_ms,
                token_expires_at,
            }) => Welcome { session, company_id, last_event_id, resume, heartbeat_ms, token_expires_at },
            other => panic!("the first frame must be welcome, not {other:?}"),
        }
    }

    /// The last things that were seen, for a failure's message.
    fn story(&self) -> String {
        let recent = &self.seen[self.seen.len().saturating_sub(8)..];
        let lines: String = recent.iter().map(|seen| format!("\n  {:.300}", format!("{seen:?}"))).collect();
        format!("{} frames were seen, the last of them:{lines}", self.seen.len())
    }
}

async fn read(mut stream: SplitStream<WebSocketStream<TcpStream>>, queue: mpsc::Sender<Incoming>) {
    while let Some(message) = stream.next().await {
        let incoming = match message {
            Ok(Message::Text(text)) => match serde_json::from_str(&text) {
                Ok(frame) => Incoming::Frame(frame),
                Err(error) => Incoming::Gone(format!("not a frame of the contract: {error}: {text}")),
            },
            Ok(Message::Pong(payload)) => Incoming::Pong(payload.to_vec()),
            Ok(Message::Close(close)) => Incoming::Close(close.map_or(1005, |close| close.code.into())),
            Ok(Message::Ping(_)) => continue,
            Ok(other) => Incoming::Gone(format!("not a message of the contract: {other:?}")),
            Err(error) => Incoming::Gone(error.to_string()),
        };
        if queue.send(incoming).await.is_err() {
            return;
        }
    }
}
