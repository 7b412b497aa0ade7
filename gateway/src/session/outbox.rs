//! What a session's client is still to be sent.
//!
//! The registry and the session's actor share it, on one thread. Sending writes at once; what the socket does not take
//! is queued, bounded in bytes, and written by the actor's task when the socket is ready again.

use std::{
    cell::RefCell,
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
#[derive(Debug)]
pub struct Outbox {
    stream: TcpStream,
    queue: RefCell<Queue>,
    /// The actor's task, to be told when there is something for it to do.
    task: RefCell<Option<Waker>>,
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Bytes>,
    /// Bytes in `pieces`.
    unsent: usize,
    /// How many of them were owed to the client when it joined: they do not make it slow.
    owed: usize,
    /// How many bytes the socket took so far.
    taken: u64,
    /// `taken` when the worker last looked, and the tick at which it last was another.
    looked: (u64, u32),
    /// Part of the first piece is on the wire, so the rest must follow.
    begun: bool,
    end: Option<End>,
}

impl Outbox {
    /// An outbox over an upgraded socket.
    #[must_use]
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, queue: RefCell::default(), task: RefCell::default() }
    }

    /// The socket, for reading.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// How the session ends, once that is known.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.queue.borrow().end
    }

    /// Whether everything was handed to the socket.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.queue.borrow().pieces.is_empty()
    }

    /// Bytes that the socket has not taken yet.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.queue.borrow().unsent
    }

    /// For how many ticks the socket has taken nothing although something waits for it.
    pub fn stalled_for(&self, tick: u32) -> u32 {
        let mut queue = self.queue.borrow_mut();
        if queue.pieces.is_empty() || queue.looked.0 != queue.taken {
            queue.looked = (queue.taken, tick);
        }
        tick.wrapping_sub(queue.looked.1)
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
        let mut queue = self.queue.borrow_mut();
        if queue.end.is_some() {
            return;
        }
        let mut written = 0;
        if queue.pieces.is_empty() {
            match self.stream.try_write(frames) {
                Ok(count) if count == frames.len() => return,
                Ok(count) => written = count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    drop(queue);
                    return self.abort();
                }
            }
            queue.begun = written > 0;
            self.wake();
        }
        queue.pieces.push_back(frames.slice(written..));
        queue.unsent += frames.len() - written;
        queue.owed += owed.saturating_sub(written);
        if queue.unsent - queue.owed.min(queue.unsent) > MAX_UNSENT {
            queue.abandon();
            drop(queue);
            self.close(CloseCode::SlowConsumer);
        }
    }

    /// Sends a close frame behind what is queued, if its client may still see that; nothing follows it.
    pub fn close(&self, code: CloseCode) {
        let mut queue = self.queue.borrow_mut();
        if queue.end.is_none() {
            if code.withholds() {
                queue.abandon();
            }
            queue.end = Some(End::Closing(code));
            let frame = wire::close(code);
            queue.unsent += frame.len();
            queue.pieces.push_back(frame);
            self.wake();
        }
    }

    /// Gives the socket up.
    pub fn abort(&self) {
        self.queue.borrow_mut().end = Some(End::Broken);
        self.wake();
    }

    /// Remembers the task that flushes.
    pub fn register(&self, waker: &Waker) {
        let mut task = self.task.borrow_mut();
        if !task.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }

    /// Makes the task look at the session again.
    pub fn wake(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.wake_by_ref();
        }
    }

    /// Writes what is queued; pending while the socket takes no more.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut queue = self.queue.borrow_mut();
        while !queue.pieces.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = queue.pieces.iter().zip(&mut slices).map(|(piece, slice)| *slice = IoSlice::new(piece)).count();
            match self.stream.try_write_vectored(&slices[..count]) {
                Ok(written) => queue.sent(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.stream.poll_write_ready(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Queue {
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
        // An idle session keeps no queue.
        self.pieces = VecDeque::new();
    }

    /// Drops everything but what has begun to be sent.
    fn abandon(&mut self) {
        self.pieces.truncate(usize::from(self.begun));
        self.pieces.shrink_to_fit();
        self.unsent = self.pieces.iter().map(Bytes::len).sum();
        self.owed = 0;
    }
}
