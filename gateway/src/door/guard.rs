use std::{
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_http::{
    Request,
    error::{DispatchError, ParseError},
};
use actix_rt::net::TcpStream;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, apply_fn_factory, fn_factory, fn_service};

use super::socket::speaks;
use crate::{defaults::HANDSHAKE_TIMEOUT, worker::Worker};

/// What is said to a socket that cannot stay. Nothing was read of what it wants.
const TURNED_AWAY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What is said to a socket that does not say what it wants.
const NOT_WAITED_FOR: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Puts the door before an HTTP server: counts its sockets, and how those ended that never asked for anything.
pub fn guarded<S>(
    worker: Rc<Worker>,
    http: S,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    S: ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>,
    S::Service: 'static,
{
    let http = Rc::new(http);
    fn_factory(move || {
        let (worker, http) = (worker.clone(), http.clone());
        async move {
            let http = Rc::new(http.new_service(()).await?);
            Ok(fn_service(move |stream| enter(worker.clone(), http.clone(), stream)))
        }
    })
}

/// One socket, from the door to its end.
async fn enter<S>(worker: Rc<Worker>, http: Rc<S>, stream: TcpStream) -> Result<(), DispatchError>
where
    S: Service<TcpStream, Response = (), Error = DispatchError>,
{
    let (reason, answer) = match worker.app.door.enter() {
        Ok(_socket) => {
            // The HTTP server looks at its clock before it looks at the socket, so it begins with those who have spoken.
            if speaks(&stream).await {
                // Boxed where it is made: it is some kilobytes, and would be copied from hand to hand.
                return serve(&worker, Box::pin(http.call(stream))).await;
            }
            ("slow_request", NOT_WAITED_FOR)
        }
        Err(reason) => (reason, TURNED_AWAY),
    };
    worker.app.metrics.rejected(reason);
    // What does not fit is not waited for.
    let _ = stream.try_write(answer);
    Ok(())
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
    mut serving: Pin<Box<impl Future<Output = Result<(), DispatchError>>>>,
) -> Result<(), DispatchError> {
    let since = Instant::now();
    let mut heard = false;
    let outcome = poll_fn(|cx| {
        // A request is handed over while its own connection is polled.
        worker.heard.set(false);
        let polled = serving.as_mut().poll(cx);
        heard |= worker.heard.get();
        polled
    })
    .await;
    // The HTTP server's clock is half a second behind at the most.
    let overdue = since.elapsed() + Duration::from_millis(500) >= HANDSHAKE_TIMEOUT;
    if let Some(reason) = fault(&outcome, heard, overdue) {
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
