use std::{
    io,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix::{Actor, Handler};
use bytes::BytesMut;
use shared::{Claims, ClientFrame, CloseCode, ServerFrame};
use tokio::io::ReadBuf;
use tracing::debug;

use super::{
    inbound::{Inbound, Message},
    life::{self, Life},
    member::{Member, Stage},
    outbox::End,
};
use crate::{
    auth::{AuthError, Identity},
    defaults::{MAX_LATE_READS, MAX_MISTAKES_PER_MINUTE, READ_BUFFER},
    wire::{self, Frame},
    worker::Worker,
};

/// Reads from one socket before other sessions get their turn.
const READS_PER_TURN: usize = 8;

/// Ends a session with this code.
#[derive(Debug)]
pub struct Disconnect(pub CloseCode);

impl actix::Message for Disconnect {
    type Result = ();
}

/// A session's life, from the upgrade to the last byte.
pub struct Session {
    worker: Rc<Worker>,
    member: Rc<Member>,
    slot: usize,
    inbound: Inbound,
    /// The client's mistakes in the present minute.
    mistakes: u8,
    minute: u32,
    /// How often something was read after the end.
    late_reads: u8,
    /// Bytes that came with the handshake are still to be handled.
    early: bool,
    /// The client has sent its close frame.
    peer_closed: bool,
}

impl Session {
    /// Starts a session over an upgraded socket; `read` is what the client sent right behind its handshake.
    pub(super) fn begin(worker: Rc<Worker>, member: Member, cursor: Option<shared::Cursor>, read: &[u8]) {
        let member = Rc::new(member);
        let draining = worker.app.health.is_draining();
        let revoked = worker.app.is_revoked(&member);
        let actor = life::begin(|address| Self {
            slot: worker.registry.join(member.clone(), Some(address), cursor),
            worker,
            member,
            inbound: Inbound::with_bytes(read),
            mistakes: 0,
            minute: 0,
            late_reads: 0,
            early: !read.is_empty(),
            peer_closed: false,
        });
        if draining {
            // The worker may have told its sessions already.
            let _ = actor.try_send(Disconnect(CloseCode::Restart));
        } else if revoked {
            // While the handshake was answered.
            let _ = actor.try_send(Disconnect(CloseCode::Forbidden));
        }
    }

    /// Reads and writes as far as the socket goes. Ready when the session is over.
    pub(super) fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let member = self.member.clone();
        let Some(outbox) = member.outbox() else { return Poll::Ready(Ok(())) };
        outbox.register(cx.waker());
        for _ in 0..READS_PER_TURN {
            let flushed = outbox.poll_flush(cx)?.is_ready();
            if outbox.end() == Some(End::Broken) || (flushed && self.peer_closed) {
                return Poll::Ready(Ok(()));
            }
            if member.stage.get() == Stage::Joining && outbox.end().is_none() {
                // The welcome comes before any answer; it wakes this task. Until then nothing is read, but an end is seen.
                let mut byte = [0];
                return match ready!(outbox.stream().poll_peek(cx, &mut ReadBuf::new(&mut byte)))? {
                    0 => Poll::Ready(Ok(())),
                    _ => Poll::Pending,
                };
            }
            if std::mem::take(&mut self.early) {
                self.receive(&mut BytesMut::new());
                continue;
            }
            let mut buffer = self.worker.read_buffer.borrow_mut();
            buffer.reserve(READ_BUFFER);
            match outbox.stream().try_read_buf(&mut *buffer) {
                Ok(0) => return Poll::Ready(Ok(())),
                Ok(_) => {
                    let mut bytes = buffer.split();
                    drop(buffer);
                    self.receive(&mut bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(outbox.stream().poll_read_ready(cx))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn receive(&mut self, read: &mut BytesMut) {
        self.member.heard_at.set(self.worker.tick());
        if self.member.sink.end().is_some() {
            // It was told to go, and need not be listened to for long.
            self.late_reads = self.late_reads.saturating_add(1);
            if self.late_reads > MAX_LATE_READS {
                return self.member.sink.abort();
            }
        }
        let mut inbound = std::mem::take(&mut self.inbound);
        let minute = self.worker.tick() / 60;
        if minute != self.minute {
            (self.minute, self.mistakes) = (minute, 0);
            inbound.begin_minute();
        }
        let outcome = inbound.receive(read, |message| {
            if self.member.sink.end().is_none() || message == Message::Close {
                self.handle_message(message);
            }
            !self.peer_closed
        });
        self.inbound = inbound;
        if let Err(code) = outcome
            && self.member.sink.end().is_none()
        {
            let reason = if code == CloseCode::Policy { "frame_rate" } else { code.reason() };
            self.worker.app.metrics.client_error(reason);
            self.end(code);
        }
    }

    fn handle_message(&mut self, message: Message) {
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(ClientFrame::Ping {}) => self.send(&self.worker.frames.pong),
                Ok(ClientFrame::Auth { token }) => self.renew(token),
                Err(_) => {
                    self.mistake("unknown_frame", "expected {\"frame\":\"ping\"} or {\"frame\":\"auth\",\"token\":…}")
                }
            },
            Message::Binary => self.mistake("binary_not_supported", "frames are JSON text"),
            Message::Ping(payload) => {
                if let Some(outbox) = self.member.outbox() {
                    outbox.send(&wire::pong(&payload));
                }
            }
            Message::Pong => {}
            Message::Close => {
                self.peer_closed = true;
                self.end(CloseCode::Normal);
            }
        }
    }

    /// Renews the token in place: same user, same company.
    fn renew(&mut self, token: String) {
        match self.worker.app.judge(Ok(&token)) {
            Err(AuthError::UnknownKey) if !self.member.renewing.replace(true) => {
                // Others are served while newer keys are fetched.
                let (worker, member) = (self.worker.clone(), self.member.clone());
                actix_rt::spawn(async move {
                    let outcome = worker.app.authenticate(Ok(&token)).await;
                    member.renewing.set(false);
                    renewed(&worker, &member, outcome);
                });
            }
            outcome => renewed(&self.worker, &self.member, outcome),
        }
    }

    /// Tells the client what it did wrong; too often, and the session ends.
    fn mistake(&mut self, code: &'static str, message: &str) {
        self.worker.app.metrics.client_error(code);
        self.mistakes += 1;
        if self.mistakes > MAX_MISTAKES_PER_MINUTE {
            return self.end(CloseCode::Policy);
        }
        let frame = ServerFrame::Error { code: code.into(), message: message.into() };
        self.send(&Frame::of(&frame));
    }

    fn end(&mut self, code: CloseCode) {
        self.worker.registry.end(&self.member, code, self.worker.tick());
    }

    fn send(&self, frame: &Frame) {
        if let Some(outbox) = self.member.outbox() {
            outbox.send(frame.bytes());
        }
    }
}

/// Carries out what became of a token that a session sent.
fn renewed(worker: &Worker, member: &Rc<Member>, outcome: Result<Claims, AuthError>) {
    let code = match outcome.map(Identity::of) {
        Ok(Some(identity)) if identity.user == member.user && identity.company == member.company => {
            worker.app.metrics.renewed("ok");
            member.renew(identity.expires_at, identity.issued_at, identity.token_id);
            return worker.registry.set_allowed(member, identity.events);
        }
        Ok(_) => {
            worker.app.metrics.renewed("somebody_else");
            CloseCode::Forbidden
        }
        Err(error) => {
            debug!(%error, "a renewed token was refused");
            worker.app.metrics.renewed(error.label());
            if error == AuthError::Revoked { CloseCode::Forbidden } else { CloseCode::TokenExpired }
        }
    };
    worker.registry.end(member, code, worker.tick());
}

impl Actor for Session {
    type Context = Life;

    fn started(&mut self, _: &mut Life) {
        debug!(session = %self.member.id(), company = %self.member.company, "session begins");
    }

    fn stopped(&mut self, _: &mut Life) {
        let code = self.member.sink.end().and_then(End::code);
        debug!(session = %self.member.id(), code = code.map(CloseCode::code), "session ends");
        self.worker.app.metrics.closed(code);
        self.worker.registry.leave(self.slot);
    }
}

impl Handler<Disconnect> for Session {
    type Result = ();

    fn handle(&mut self, Disconnect(code): Disconnect, _: &mut Life) {
        self.end(code);
    }
}
