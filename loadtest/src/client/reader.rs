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
    frames::{BINARY, CLOSE, PING, PONG, TEXT, masked, next_frame},
    open::Opened,
    scan::Scanner,
    tally::Tally,
};
use crate::{
    clock::now_us,
    defaults::READ_BUFFER,
    system::{Dialect, Heard},
};

/// The token of the waker; sessions count from 0.
pub(super) const WAKE: Token = Token(usize::MAX);

/// The epoch of events that only their marks number.
const UNPLACED: u64 = 1;

/// What the reader is asked for.
pub(super) enum Command {
    /// Read this session too.
    Add(Box<Opened>),
    /// Give me the tally and begin a new one for so many events of the wide room.
    Take(usize, SyncSender<Tally>),
    /// Close everything and end.
    Stop,
}

/// A session that is in.
pub(super) struct Session {
    /// Its socket.
    pub(super) stream: TcpStream,
    /// The number of the place that it joined at.
    pub(super) joined: u64,
    /// The place that it stands at.
    pub(super) last: Cursor,
    /// The beginning of a frame.
    pub(super) carry: Vec<u8>,
}

/// The thread's state.
pub(super) struct Reader {
    poll: Poll,
    commands: Receiver<Command>,
    dialect: Arc<dyn Dialect>,
    /// Deliveries so far, for progress.
    delivered: Arc<AtomicU64>,
    sessions: Vec<Option<Session>>,
    scanner: Scanner,
    tally: Tally,
    buffer: Box<[u8]>,
}

impl Reader {
    pub(super) fn new(
        poll: Poll,
        commands: Receiver<Command>,
        dialect: Arc<dyn Dialect>,
        delivered: Arc<AtomicU64>,
    ) -> Self {
        Self {
            poll,
            commands,
            dialect,
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

    fn readable(&mut self, index: usize) {
        let Some(Some(session)) = self.sessions.get_mut(index) else { return };
        let end = session.readable(&mut self.buffer, &*self.dialect, &mut self.scanner, &mut self.tally);
        if let Some(why) = end {
            self.end(index, why);
        }
    }

    fn end(&mut self, index: usize, why: String) {
        self.sessions[index] = None;
        self.tally.ended += 1;
        self.tally.first_end.get_or_insert(why);
    }
}

impl Session {
    /// Takes what the kernel has. One read mostly: what comes later wakes us again. Why the session is over, if it is.
    pub(super) fn readable(
        &mut self,
        buffer: &mut [u8],
        dialect: &dyn Dialect,
        scanner: &mut Scanner,
        tally: &mut Tally,
    ) -> Option<String> {
        loop {
            let carried = self.carry.len();
            buffer[..carried].copy_from_slice(&self.carry);
            self.carry.clear();
            let room = buffer.len() - carried;
            let (read, end) = match self.stream.read(&mut buffer[carried..]) {
                Ok(0) => (0, Some("ended by the server".to_owned())),
                Ok(read) => (read, None),
                Err(error) if error.kind() == ErrorKind::WouldBlock => (0, None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    self.carry.extend_from_slice(&buffer[..carried]);
                    continue;
                }
                Err(error) => (0, Some(error.to_string())),
            };
            let over = cut(self, &buffer[..carried + read], dialect, scanner, tally);
            if over.is_some() || end.is_some() || read < room {
                return over.or(end);
            }
        }
    }
}

/// Cuts `bytes` into frames and keeps what is left over. Why the session is over, if it is.
pub(super) fn cut(
    session: &mut Session,
    bytes: &[u8],
    dialect: &dyn Dialect,
    scanner: &mut Scanner,
    tally: &mut Tally,
) -> Option<String> {
    let now = now_us();
    let mut rest = bytes;
    loop {
        match next_frame(rest) {
            Ok(Some((frame, used))) => {
                match frame.opcode {
                    TEXT | BINARY => {
                        let mut over = None;
                        dialect.hear(frame.payload, &mut |heard| match heard {
                            Heard::Placed(id, json) => {
                                tally.event(id, &mut session.last, session.joined, scanner.sent_at(json), now);
                            }
                            Heard::Event(json) => {
                                if let Some((sent_at, seq)) = scanner.both(json) {
                                    let id = Cursor { epoch: UNPLACED, seq };
                                    tally.event(id, &mut session.last, session.joined, Some(sent_at), now);
                                }
                            }
                            Heard::Asked(answer) => {
                                // What does not fit into an empty socket has nobody waiting for it; so with pongs.
                                let _lost = session.stream.write(&masked(frame.opcode, &answer));
                            }
                            Heard::Resync(place) => {
                                tally.resyncs += 1;
                                session.last = place;
                            }
                            Heard::Over(why) => over = Some(why),
                        });
                        if over.is_some() {
                            return over;
                        }
                    }
                    PING => {
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

fn closed(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => {
            format!("closed with {} {}", u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason))
        }
        _ => "closed without a code".to_owned(),
    }
}
