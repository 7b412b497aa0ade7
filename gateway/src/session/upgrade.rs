use std::{convert::Infallible, rc::Rc};

use actix_codec::{Encoder, Framed};
use actix_http::{
    Request, RequestHead, Response, StatusCode,
    body::{BodySize, MessageBody},
    h1::{Codec, Message},
    header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL},
    ws::handshake_response,
};
use actix_rt::net::TcpStream;
use bytes::{Bytes, BytesMut};
use tokio::{io::AsyncWriteExt, time::timeout};
use tracing::debug;

use super::{
    Outbox,
    actor::Session,
    handshake::{self, Accepted},
    member::{Member, Places},
    sink::Sink,
};
use crate::{
    defaults::HANDSHAKE_TIMEOUT,
    http::{Listener, Problem},
    worker::Worker,
};

/// Answers a request to upgrade. On success the socket leaves the HTTP server, which frees its buffers, and a session
/// begins on it; this future is then over.
///
/// # Errors
/// Never: a client that cannot be answered is gone.
pub async fn upgrade(worker: Rc<Worker>, request: Request, framed: Framed<TcpStream, Codec>) -> Result<(), Infallible> {
    worker.heard.set(true);
    let decision = admit(&worker, request.head()).await;
    let parts = framed.into_parts();
    // Answers to earlier requests on the same connection go first.
    let (mut stream, codec, earlier) = (parts.io, parts.codec, parts.write_buf);
    match decision {
        Ok((accepted, places)) => {
            let response = switch(&request, accepted.protocol);
            if answer(&mut stream, codec, earlier, response.map_body(|_, ()| Bytes::new())).await {
                worker.app.metrics.accepted.inc();
                begin(worker, stream, accepted, places, &parts.read_buf);
            }
        }
        Err(problem) => {
            if !problem.is_counted() {
                worker.app.metrics.rejected(problem.reason());
            }
            debug!(code = problem.code(), "refused a handshake");
            answer(&mut stream, codec, earlier, problem.into_raw_response()).await;
        }
    }
    Ok(())
}

async fn admit(worker: &Worker, head: &RequestHead) -> Result<(Accepted, Places), Problem> {
    let mut accepted = handshake::check(&worker.app, head).await?;
    let places = worker.places_for(&mut accepted.listener.identity).await?.with_socket(&worker.app.door);
    Ok((accepted, places))
}

fn begin(worker: Rc<Worker>, stream: TcpStream, accepted: Accepted, places: Places, read: &BytesMut) {
    // An event is one small write that nobody should hold back. The socket may be gone already; then reading tells.
    let _ = stream.set_nodelay(true);
    let Listener { identity, filter, cursor } = accepted.listener;
    let member = Member::new(&worker, Sink::Socket(Outbox::new(stream)), identity, filter, places);
    Session::begin(worker, member, cursor, read);
}

fn switch(request: &Request, protocol: Option<&'static str>) -> Response<()> {
    let mut response = handshake_response(request.head());
    if let Some(protocol) = protocol {
        response.insert_header((SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol)));
    }
    response.message_body(()).unwrap_or_else(|_| Response::with_body(StatusCode::INTERNAL_SERVER_ERROR, ()))
}

/// Writes a response on the raw socket; false when the client is gone or does not read.
async fn answer(stream: &mut TcpStream, mut codec: Codec, mut bytes: BytesMut, response: Response<Bytes>) -> bool {
    let (head, body) = response.into_parts();
    let size = if head.status() == StatusCode::SWITCHING_PROTOCOLS { BodySize::None } else { body.size() };
    if codec.encode(Message::Item((head, size)), &mut bytes).is_err() {
        return false;
    }
    bytes.extend_from_slice(&body);
    matches!(timeout(HANDSHAKE_TIMEOUT, stream.write_all(&bytes)).await, Ok(Ok(())))
}
