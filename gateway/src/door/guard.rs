use std::{future::poll_fn, pin::Pin, rc::Rc};

use actix_http::{
    Request,
    error::{DispatchError, ParseError},
};
use actix_rt::net::TcpStream;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, apply_fn_factory};

use super::Socket;
use crate::worker::Worker;

/// What is said to a socket that cannot stay. Nothing was read of what it wants.
const TURNED_AWAY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Puts the door before an HTTP server: counts its sockets, and how those ended that never asked for anything.
pub fn guarded<F, S>(
    worker: Rc<Worker>,
    http: F,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    F: IntoServiceFactory<S, TcpStream>,
    S: ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>,
{
    apply_fn_factory(http, move |stream: TcpStream, http: &S::Service| {
        let worker = worker.clone();
        let entered = match worker.app.door.enter() {
            // Boxed where it is made: it is some kilobytes, and would be copied from hand to hand.
            Ok(socket) => Some((socket, Box::pin(http.call(stream)))),
            Err(reason) => {
                worker.app.metrics.rejected(reason);
                // What does not fit is not waited for.
                let _ = stream.try_write(TURNED_AWAY);
                None
            }
        };
        async move {
            match entered {
                Some((socket, serving)) => serve(&worker, socket, serving).await,
                None => Ok(()),
            }
        }
    })
}

/// Notes that the request was heard: it had arrived in time, and could be read.
pub fn heard<F, S>(
    worker: Rc<Worker>,
    requests: F,
) -> impl ServiceFactory<Request, Config = (), Response = S::Response, Error = S::Error, InitError = S::InitError>
where
    F: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = ()>,
{
    apply_fn_factory(requests, move |request: Request, service: &S::Service| {
        worker.heard.set(true);
        service.call(request)
    })
}

async fn serve(
    worker: &Worker,
    socket: Socket,
    mut serving: Pin<Box<impl Future<Output = Result<(), DispatchError>>>>,
) -> Result<(), DispatchError> {
    let mut heard = false;
    let outcome = poll_fn(|cx| {
        // A request is handed over while its own connection is polled.
        worker.heard.set(false);
        let polled = serving.as_mut().poll(cx);
        heard |= worker.heard.get();
        polled
    })
    .await;
    if let Some(reason) = fault(&outcome, heard, socket.is_overdue()) {
        worker.app.metrics.rejected(reason);
    }
    outcome
}

/// What a connection's end says about its client; a 408 is no error to the HTTP server.
fn fault(outcome: &Result<(), DispatchError>, heard: bool, overdue: bool) -> Option<&'static str> {
    match outcome {
        Err(DispatchError::Parse(ParseError::TooLarge)) => Some("head_too_large"),
        Err(DispatchError::Parse(ParseError::Io(_) | ParseError::Incomplete)) => None,
        Err(DispatchError::Parse(_)) => Some("malformed"),
        Err(DispatchError::SlowRequestTimeout) => Some("slow_request"),
        Ok(()) if !heard && overdue => Some("slow_request"),
        _ => None,
    }
}
