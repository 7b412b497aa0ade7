use std::sync::Arc;

use bytes::Bytes;
use shared::{CloseCode, Cursor};

use super::{
    feed::{Control, Feed, Item},
    outbox::{End, Outbox},
};
use crate::{delivery::Delivery, wire::Frame};

/// Where a session's frames go. A WebSocket, mostly, so the others do not add to its size.
pub enum Sink {
    /// To its WebSocket.
    Socket(Outbox),
    /// To an HTTP response that stays open: Server-Sent Events.
    Stream(Box<Feed>),
    /// To an HTTP response that ends with the first news: a poll.
    Poll(Box<Feed>),
}

impl Sink {
    /// Sends a frame that is not an event.
    pub fn tell(&self, control: Control, frame: &Frame) {
        match self {
            Self::Socket(outbox) => outbox.send(frame.bytes()),
            Self::Stream(feed) | Self::Poll(feed) => {
                feed.push(Item::Control(control, frame.clone()), false);
                if let Some(position) = control.position() {
                    feed.advance(position);
                }
            }
        }
    }

    /// Sends events, joined to `pieces` for a socket. Those that the client is `owed` since it was away it may take its
    /// time to read; a poll reads all that there is, and ends.
    pub fn deliver(&self, events: &[Arc<Delivery>], pieces: &[Bytes], owed: bool, position: Cursor) {
        match self {
            Self::Socket(outbox) if owed => pieces.iter().for_each(|piece| outbox.send_owed(piece)),
            Self::Socket(outbox) => pieces.iter().for_each(|piece| outbox.send(piece)),
            Self::Stream(feed) | Self::Poll(feed) => {
                let owed = owed || matches!(self, Self::Poll(_));
                events.iter().for_each(|event| feed.push(Item::Event(event.clone()), owed));
                feed.advance(position);
            }
        }
    }

    /// Bytes that wait for the client to read them.
    #[must_use]
    pub fn unsent(&self) -> usize {
        match self {
            Self::Socket(outbox) => outbox.unsent(),
            Self::Stream(feed) | Self::Poll(feed) => feed.unsent(),
        }
    }

    /// How the session ends, once that is known.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        match self {
            Self::Socket(outbox) => outbox.end(),
            Self::Stream(feed) | Self::Poll(feed) => feed.end(),
        }
    }

    /// Ends the session behind what is queued.
    pub fn close(&self, code: CloseCode) {
        match self {
            Self::Socket(outbox) => outbox.close(code),
            Self::Stream(feed) | Self::Poll(feed) => feed.finish(End::Closing(code)),
        }
    }

    /// Gives the client up.
    pub fn abort(&self) {
        match self {
            Self::Socket(outbox) => outbox.abort(),
            Self::Stream(feed) | Self::Poll(feed) => feed.finish(End::Broken),
        }
    }
}
