//! A thread that reads many sessions: one `epoll`, one buffer.

use std::{
    io::{ErrorKind, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender},
    },
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use shared::Cursor;

use super::{
    frames::{CLOSE, PING, PONG, TEXT, masked, next_frame},
    open::Opened,
    scan::Scanner,
    tally::Tally,
};
use crate::{clock::now_us, defaults::READ_BUFFER};

/// The token of the waker; sessions count from 0.
pub(super) const WAKE: Token = Token(usize::MAX);

/// What the reader is asked for.
pub(super) enum Command {
    /// Read this session too.
    Add(Box<Opened>),
    /// Give me the tally and begin a new one for so many events of the wide room.
    Take(usize, SyncSender<Tally>),
    /// Close everything and end.
    Stop,
}

struct Session {
    stream: TcpStream,
    joined: u64,
    last: Cursor,
    carry: Vec<u8>,
}

/// The thread's state.
pub(super) struct Reader {
    poll: Poll,
    commands: Receiver<Command>,
    /// Deliveries so far, for progress.
    delivered: Arc<AtomicU64>,
    sessions: Vec<Option<Session>>,
    scanner: Scanner,
    tally: Tally,
    buffer: Box<[u8]>,
}

impl Reader {
    pub(super) fn new(poll: Poll, commands: Receiver<Command>, delivered: Arc<AtomicU64>) -> Self {
        Self {
            poll,
            commands,
            delivered,
            sessions: Vec::new(),
            scanner: Scanner::new(),
            tally: Tally::new(0),
            buffer: vec![0; READ_BUFFER].into_boxed_slice(),
        }
    }

    /// Reads until told to stop.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        loop {
            let idle = Instant::now();
            if let Err(error) = self.poll.poll(&mut events, Some(Duration::from_millis(100))) {
                if error.kind() == ErrorKind::Interrupted {
                    continue;
                }
                return;
            }
            self.tally.waited_us += u64::try_from(idle.elapsed().as_micros()).unwrap_or_default();
            let before = self.tally.delivered;
            let mut stop = false;
            for event in &events {
                if event.token() == WAKE {
                    stop = self.obey();
                } else {
                    self.readable(event.token().0);
                }
            }
            self.delivered.fetch_add(self.tally.delivered.saturating_sub(before), Ordering::Relaxed);
            if stop {
                return;
            }
        }
    }

    /// Whether to stop.
    fn obey(&mut self) -> bool {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Add(opened) => self.add(*opened),
                Command::Take(events, reply) => {
                    let _nobody_waits = reply.send(std::mem::replace(&mut self.tally, Tally::new(events)));
                }
                Command::Stop => return true,
            }
        }
        false
    }

    fn add(&mut self, opened: Opened) {
        let index = self.sessions.len();
        let mut stream = TcpStream::from_std(opened.stream);
        let registered = self.poll.registry().register(&mut stream, Token(index), Interest::READABLE);
        self.sessions.push(Some(Session { stream, joined: opened.at.seq, last: opened.at, carry: opened.rest }));
        if let Err(error) = registered {
            self.end(index, format!("cannot be polled: {error}"));
        } else {
            self.readable(index);
        }
    }

    /// Takes what the kernel has for a session. One read mostly: what comes later wakes us again.
    fn readable(&mut self, index: usize) {
        loop {
            let Some(Some(session)) = self.sessions.get_mut(index) else { return };
            let carried = session.carry.len();
            self.buffer[..carried].copy_from_slice(&session.carry);
            session.carry.clear();
            let room = self.buffer.len() - carried;
            let result = session.stream.read(&mut self.buffer[carried..]);
            let (read, end) = match result {
                Ok(0) => (0, Some("ended by the gateway".to_owned())),
                Ok(read) => (read, None),
                Err(error) if error.kind() == ErrorKind::WouldBlock => (0, None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    session.carry.extend_from_slice(&self.buffer[..carried]);
                    continue;
                }
                Err(error) => (0, Some(error.to_string())),
            };
            let over = cut(session, &self.buffer[..carried + read], &mut self.scanner, &mut self.tally);
            if let Some(why) = over.or(end) {
                return self.end(index, why);
            }
            if read < room {
                return;
            }
        }
    }

    fn end(&mut self, index: usize, why: String) {
        self.sessions[index] = None;
        self.tally.ended += 1;
        self.tally.first_end.get_or_insert(why);
    }
}

/// Cuts `bytes` into frames and keeps what is left over. Why the session is over, if it is.
fn cut(session: &mut Session, bytes: &[u8], scanner: &mut Scanner, tally: &mut Tally) -> Option<String> {
    let now = now_us();
    let mut rest = bytes;
    loop {
        match next_frame(rest) {
            Ok(Some((frame, used))) => {
                match frame.opcode {
                    TEXT => text(session, frame.payload, scanner, tally, now),
                    PING => {
                        // A pong that does not fit into an empty socket has nobody waiting for it.
                        let _lost = session.stream.write(&masked(PONG, frame.payload));
                    }
                    CLOSE => return Some(closed(frame.payload)),
                    _ => {}
                }
                rest = &rest[used..];
            }
            Ok(None) => break,
            Err(error) => return Some(format!("{error:?} frame")),
        }
    }
    if rest.is_empty() {
        // Sessions by the ten thousand: none keeps a buffer that it does not need.
        session.carry = Vec::new();
    } else {
        session.carry.extend_from_slice(rest);
    }
    None
}

fn text(session: &mut Session, payload: &[u8], scanner: &mut Scanner, tally: &mut Tally, now: u64) {
    if let Some(id) = Scanner::id(payload) {
        tally.event(id, &mut session.last, session.joined, scanner.sent_at(payload), now);
    } else if payload.starts_with(b"{\"frame\":\"resync\"") {
        tally.resyncs += 1;
        if let Ok(shared::ServerFrame::Resync { last_event_id, .. }) = serde_json::from_slice(payload) {
            session.last = last_event_id;
        }
    }
}

fn closed(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => {
            format!("closed with {} {}", u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason))
        }
        _ => "closed without a code".to_owned(),
    }
}
