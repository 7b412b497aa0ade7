//! Request bodies in chunks, held until they have been answered.
//!
//! For the end of such a body that nobody holds any more the HTTP server waits, and looks at no clock: strangers could keep
//! sockets for ever. One that is still held when the answer has gone, and has not ended, makes it close the socket.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_http::{HttpMessage, header::TRANSFER_ENCODING};
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest},
};
use bytes::Bytes;
use futures_util::{Stream, stream::poll_fn};

/// A request's body, which its endpoint may read.
#[derive(Clone)]
pub(super) struct Held(Rc<RefCell<Payload>>);

impl Held {
    /// The body of a request, if it is in chunks.
    pub(super) fn of(request: &mut ServiceRequest) -> Option<Self> {
        request.headers().contains_key(TRANSFER_ENCODING).then(|| {
            let held = Self(Rc::new(RefCell::new(request.take_payload())));
            let Self(read) = held.clone();
            let chunks = poll_fn(move |cx| Pin::new(&mut *read.borrow_mut()).poll_next(cx));
            request.set_payload(Payload::Stream { payload: Box::pin(chunks) });
            held
        })
    }

    /// Holds it for as long as this answer is sent.
    pub(super) fn beside(self, answer: impl MessageBody + 'static) -> Beside {
        Beside { answer: answer.boxed(), _request: self }
    }
}

/// An answer's body beside that of its request.
pub(super) struct Beside {
    answer: BoxBody,
    _request: Held,
}

impl MessageBody for Beside {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().answer).poll_next(cx)
    }
}
