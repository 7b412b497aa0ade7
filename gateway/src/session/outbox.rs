//! What a session's client is still to be sent.
//!
//! The registry and the session's actor share it, on one thread. Sending writes at once; what the socket does not take
//! is queued, bounded in bytes, and written by the actor's task when the socket is ready again.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::{self, IoSlice},
    task::{Context, Poll, Waker, ready},
};

use actix_rt::net::TcpStream;
use bytes::{Buf, Bytes};
use shared::CloseCode;

use crate::{defaults::MAX_UNSENT, wire};

/// Pieces in one vectored write.
const SLICES: usize = 32;

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A close frame with this code is in the queue or sent; nothing follows it.
    Closing(CloseCode),
    /// The socket is of no more use.
    Broken,
}

impl End {
    /// The close code, if the client is told one.
    #[must_use]
    pub fn code(self) -> Option<CloseCode> {
        match self {
            Self::Closing(code) => Some(code),
            Self::Broken => None,
        }
    }
}

/// The sending half of a session.
pub struct Outbox {
    stream: TcpStream,
    /// What the socket has not taken. An idle session has none.
    backlog: RefCell<Option<Box<Backlog>>>,
    end: Cell<Option<End>>,
    /// The actor's task, to be told when there is something for it to do.
    task: Cell<Option<Waker>>,
}

#[derive(Debug, Default)]
struct Backlog {
    pieces: VecDeque<Bytes>,
    /// Bytes in `pieces`.
    unsent: usize,
    /// How many of them were owed to the client when it joined: they do not make it slow.
    owed: usize,
    /// How many bytes of it the socket took so far.
    taken: u64,
    /// `taken` when the worker last looked, and the tick at which it last was another.
    looked: Option<(u64, u32)>,
    /// Part of the first piece is on the wire, so the rest must follow.
    begun: bool,
}

impl Outbox {
    /// An outbox over an upgraded socket.
    #[must_use]
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, backlog: RefCell::default(), end: Cell::default(), task: Cell::default() }
    }

    /// The socket, for reading.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// How the session ends, once that is known.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.end.get()
    }

    /// Bytes that the socket has not taken yet.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.backlog.borrow().as_ref().map_or(0, |backlog| backlog.unsent)
    }

    /// For how many ticks the socket has taken nothing although something waits for it.
    pub fn stalled_for(&self, tick: u32) -> u32 {
        let mut backlog = self.backlog.borrow_mut();
        let Some(backlog) = &mut *backlog else { return 0 };
        let (_, since) = match backlog.looked {
            Some(looked) if looked.0 == backlog.taken => looked,
            _ => *backlog.looked.insert((backlog.taken, tick)),
        };
        tick.wrapping_sub(since)
    }

    /// Sends whole frames. A client that leaves too much unread is closed as slow.
    pub fn send(&self, frames: &Bytes) {
        self.put(frames, 0);
    }

    /// Sends what was missed; it does not count towards slowness.
    pub fn send_owed(&self, frames: &Bytes) {
        self.put(frames, frames.len());
    }

    fn put(&self, frames: &Bytes, owed: usize) {
        if self.end.get().is_some() {
            return;
        }
        let mut backlog = self.backlog.borrow_mut();
        let mut written = 0;
        if backlog.is_none() {
            match self.stream.try_write(frames) {
                Ok(count) if count == frames.len() => return,
                Ok(count) => written = count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.abort(),
            }
            self.wake();
        }
        let waiting = backlog.get_or_insert_default();
        waiting.begun |= written > 0;
        waiting.owed += owed.saturating_sub(written);
        waiting.push(frames.slice(written..));
        if waiting.unsent - waiting.owed.min(waiting.unsent) > MAX_UNSENT {
            waiting.abandon();
            drop(backlog);
            self.close(CloseCode::SlowConsumer);
        }
    }

    /// Sends a close frame behind what is queued, if its client may still see that; nothing follows it.
    pub fn close(&self, code: CloseCode) {
        if self.end.get().is_none() {
            self.end.set(Some(End::Closing(code)));
            let mut backlog = self.backlog.borrow_mut();
            let waiting = backlog.get_or_insert_default();
            if code.withholds() {
                waiting.abandon();
            }
            waiting.push(wire::close(code));
            self.wake();
        }
    }

    /// Gives the socket up.
    pub fn abort(&self) {
        self.end.set(Some(End::Broken));
        self.wake();
    }

    /// Remembers the task that flushes.
    pub fn register(&self, waker: &Waker) {
        let known = self.task.take().filter(|known| known.will_wake(waker));
        self.task.set(Some(known.unwrap_or_else(|| waker.clone())));
    }

    /// Makes the task look at the session again.
    pub fn wake(&self) {
        let task = self.task.take();
        if let Some(task) = &task {
            task.wake_by_ref();
        }
        self.task.set(task);
    }

    /// Writes what is queued; pending while the socket takes no more.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut backlog = self.backlog.borrow_mut();
        while let Some(waiting) = &mut *backlog {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count =
                waiting.pieces.iter().zip(&mut slices).map(|(piece, slice)| *slice = IoSlice::new(piece)).count();
            match self.stream.try_write_vectored(&slices[..count]) {
                Ok(written) => waiting.sent(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.stream.poll_write_ready(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
            if waiting.pieces.is_empty() {
                *backlog = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Backlog {
    fn push(&mut self, piece: Bytes) {
        self.unsent += piece.len();
        self.pieces.push_back(piece);
    }

    fn sent(&mut self, mut count: usize) {
        self.taken += count as u64;
        self.unsent -= count;
        self.owed = self.owed.saturating_sub(count);
        while let Some(first) = self.pieces.front_mut() {
            if count < first.len() {
                first.advance(count);
                self.begun |= count > 0;
                return;
            }
            count -= first.len();
            self.begun = false;
            self.pieces.pop_front();
        }
    }

    /// Drops everything but what has begun to be sent.
    fn abandon(&mut self) {
        self.pieces.truncate(usize::from(self.begun));
        self.pieces.shrink_to_fit();
        self.unsent = self.pieces.iter().map(Bytes::len).sum();
        self.owed = 0;
    }
}
