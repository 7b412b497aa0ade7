//! What a client without a WebSocket is still to be sent: kept here until its HTTP response takes it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use shared::{CloseCode, Cursor, DeliveryState, Resume};

use super::outbox::End;
use crate::{defaults::MAX_UNSENT, delivery::Delivery, wire::Frame};

/// A frame that is not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// The session begins here.
    Welcome {
        /// What became of its cursor.
        resume: Resume,
        /// Where it stands.
        position: Cursor,
        /// Nobody can tell yet; more follows when the backplane is back.
        deferred: bool,
    },
    /// Something may be missing; go on from here.
    Resync(Cursor),
    /// Whether events arrive as they happen.
    Status(DeliveryState),
    /// Nothing happened.
    Heartbeat,
}

impl Control {
    /// The frame's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::Resync(_) => "resync",
            Self::Status(_) => "status",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// The cursor that the client stands at after this frame, where the frame says so.
    #[must_use]
    pub fn position(self) -> Option<Cursor> {
        match self {
            Self::Welcome { position, .. } | Self::Resync(position) => Some(position),
            Self::Status(_) | Self::Heartbeat => None,
        }
    }
}

/// One frame on its way to a response.
#[derive(Debug, Clone)]
pub enum Item {
    /// An event.
    Event(Arc<Delivery>),
    /// Anything else.
    Control(Control, Frame),
}

impl Item {
    /// The frame itself.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        match self {
            Self::Event(event) => &event.frame,
            Self::Control(_, frame) => frame,
        }
    }
}

/// The sending half of a session without a WebSocket. Bounded as an [`Outbox`](super::Outbox) is.
#[derive(Debug, Default)]
pub struct Feed {
    items: RefCell<VecDeque<Item>>,
    unsent: Cell<usize>,
    owed: Cell<usize>,
    end: Cell<Option<End>>,
    /// The newest event that was queued here, or that the filter kept back.
    position: Cell<Option<Cursor>>,
    task: RefCell<Option<Waker>>,
}

impl Feed {
    /// How the session ends, once that is known.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.end.get()
    }

    /// Bytes that the response has not taken yet.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.unsent.get()
    }

    /// The newest event that was queued here, or that the filter kept back.
    #[must_use]
    pub fn position(&self) -> Option<Cursor> {
        self.position.get()
    }

    /// The session has been given, or spared, everything up to here.
    pub fn advance(&self, position: Cursor) {
        if self.end.get().is_none() {
            self.position.set(Some(position));
        }
    }

    /// Queues a frame. A client that leaves too much unread is closed as slow; what it is owed does not count.
    pub fn push(&self, item: Item, owed: bool) {
        if self.end.get().is_some() {
            return;
        }
        let size = item.frame().bytes().len();
        self.unsent.set(self.unsent.get() + size);
        if owed {
            self.owed.set(self.owed.get() + size);
        }
        self.items.borrow_mut().push_back(item);
        if self.unsent.get() - self.owed.get().min(self.unsent.get()) > MAX_UNSENT {
            self.items.borrow_mut().clear();
            self.unsent.set(0);
            self.finish(End::Closing(CloseCode::SlowConsumer));
        }
        self.wake();
    }

    /// Ends the session behind what is queued, if its client may still see that.
    pub fn finish(&self, end: End) {
        if self.end.get().is_none() {
            if end.code().is_some_and(CloseCode::withholds) {
                self.items.borrow_mut().clear();
            }
            self.end.set(Some(end));
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// The next frame; `None` when the session has ended.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        match self.items.borrow_mut().pop_front() {
            Some(item) => {
                let size = item.frame().bytes().len();
                self.unsent.set(self.unsent.get() - size);
                self.owed.set(self.owed.get().saturating_sub(size));
                Poll::Ready(Some(item))
            }
            None if self.end.get().is_some() => Poll::Ready(None),
            None => {
                self.task.replace(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}
