//! `GET /v1/sse`: the frames of the WebSocket as Server-Sent Events, for networks that let no WebSocket through.

use std::{
    convert::Infallible,
    fmt::Write,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
};
use bytes::Bytes;
use futures_util::Stream;
use shared::{CloseCode, ServerFrame};

use super::{
    Listener, Problem,
    listen::Wishes,
    openapi::{BadQuery, Busy, Forbidden, TooManyConnections, Unauthorized},
    presence::Presence,
    worker_of,
};
use crate::{
    clock,
    defaults::{MAX_COALESCED, SSE_RETRY_MS},
    session::{Control, End, Item, Sink},
    wire::Frame,
};

/// The frames of the WebSocket as Server-Sent Events
///
/// `event:` is the frame's name, `data:` the frame, `id:` the cursor. The frames are described in `docs/asyncapi.yaml`.
#[utoipa::path(
    get, path = "/v1/sse", operation_id = "stream", tag = "listening", security(("bearer" = [])),
    params(
        Wishes,
        ("Last-Event-ID" = Option<String>, Header, nullable = false, pattern = "^([0-9]{1,19}-[0-9]{1,19})?$",
            description = "Goes before `lastEventId`. Browsers send it when they reconnect."),
    ),
    responses(
        (status = 200, description = "A stream that ends after a frame `error` or `reconnect`.",
            content_type = "text/event-stream", body = String),
        (status = 400, response = BadQuery),
        (status = 401, response = Unauthorized),
        (status = 403, response = Forbidden),
        (status = 429, response = TooManyConnections),
        (status = 503, response = Busy),
    ),
)]
pub(super) async fn stream(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let worker = worker_of(&request);
    worker.app.check_origin(request.headers())?;
    worker.app.knock()?;
    let listener = Listener::of(&worker.app, request.headers(), request.query_string()).await?;
    let presence = Presence::enter(worker, Sink::Stream(Box::default()), listener).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx holds responses back otherwise.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(EventStream { presence, begun: false, ended: false }))
}

/// The response's body. The session ends when it is dropped.
struct EventStream {
    presence: Presence,
    begun: bool,
    ended: bool,
}

impl Stream for EventStream {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let mut text = String::new();
        if !std::mem::replace(&mut self.begun, true) {
            // Clients that lose their stream together do not come back together.
            let retry = rand::random_range(SSE_RETRY_MS.0..SSE_RETRY_MS.1);
            let _ = write!(text, "retry: {retry}\n\n");
        }
        while text.len() < MAX_COALESCED {
            match self.presence.feed().poll_next(cx) {
                Poll::Ready(Some(item)) => write_item(&mut text, &item),
                Poll::Ready(None) => {
                    self.ended = true;
                    farewell(&mut text, self.presence.feed().end());
                    break;
                }
                Poll::Pending if text.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Some(Ok(Bytes::from(text))))
    }
}

fn write_item(text: &mut String, item: &Item) {
    let (name, id) = match item {
        Item::Event(event) => ("event", Some(event.id)),
        // Nobody has seen yet whether the log is empty.
        Item::Control(control @ Control::Welcome { deferred: true, .. }, _) => (control.name(), control.position()),
        Item::Control(control, _) => (control.name(), control.position().map(clock::outward)),
    };
    if let Some(id) = id {
        let _ = writeln!(text, "id: {id}");
    }
    write_frame(text, name, item.frame());
}

/// JSON has no line breaks, so one `data` line holds it.
fn write_frame(text: &mut String, name: &str, frame: &Frame) {
    let json = String::from_utf8_lossy(frame.json());
    let _ = write!(text, "event: {name}\ndata: {json}\n\n");
}

/// What a close code says on a WebSocket.
fn farewell(text: &mut String, end: Option<End>) {
    let (name, frame) = match end {
        Some(End::Closing(CloseCode::Restart)) => {
            ("reconnect", ServerFrame::Reconnect { after_ms: 0, reason: CloseCode::Restart.reason().into() })
        }
        Some(End::Closing(code)) => {
            let message = format!("closed with {}: {}", code.code(), code.reason());
            ("error", ServerFrame::Error { code: code.reason().replace(' ', "_"), message })
        }
        Some(End::Broken) | None => return,
    };
    write_frame(text, name, &Frame::of(&frame));
}
