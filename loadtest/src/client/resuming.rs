//! A session that does what a client of ours does: obeys `reconnect`, comes back after a cut, resumes from its cursor.

use std::{future::pending, io::ErrorKind, sync::Arc, sync::atomic::Ordering::Relaxed, time::Duration};

use shared::{Cursor, Resume, ServerFrame};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, sleep_until},
};

use super::{
    Plan, Refused,
    frames::{CLOSE, PING, PONG, TEXT, masked, next_frame},
    scan::{Scanner, event_id},
    sightings::Sightings,
};
use crate::{backoff::Backoff, clock::now_us, system::Ticket};

/// One read takes so much: what a session gets within moments.
const CHUNK: usize = 16 * 1024;

/// A session that lives until its task is aborted.
pub(crate) struct Session {
    /// Who it is; the number decides the address that it comes from.
    pub(crate) ticket: Ticket,
    /// Where it connects to.
    pub(crate) plan: Plan,
    /// Where it tells what it sees.
    pub(crate) sightings: Arc<Sightings>,
}

/// A connection of a session.
struct Connection {
    stream: TcpStream,
    carry: Vec<u8>,
    /// When it was welcomed, in microseconds since 1970.
    since: u64,
    /// When to leave it, once it was asked to.
    leave_at: Option<Instant>,
}

/// Why a connection is no longer read.
enum End {
    /// It was asked to move.
    Moved,
    /// It is over.
    Cut,
}

impl Session {
    /// Lives.
    pub(crate) async fn run(mut self) {
        let sightings = self.sightings.clone();
        let mut scanner = Scanner::new();
        let mut backoff = Backoff::default();
        let mut place: Option<Cursor> = None;
        // Kept until its successor is there.
        let mut predecessor: Option<TcpStream> = None;
        loop {
            self.ticket.after = place;
            let opened = match self.plan.open(&self.ticket).await {
                Ok(opened) => opened,
                Err(error) => {
                    sightings.refused.fetch_add(1, Relaxed);
                    let at_least = error.downcast_ref::<Refused>().and_then(|refused| refused.retry_after);
                    sleep(backoff.next(at_least)).await;
                    continue;
                }
            };
            let Ok(stream) = TcpStream::from_std(opened.stream) else { continue };
            drop(predecessor.take());
            backoff.reset();
            let came_back = place.is_some();
            if came_back { &sightings.reopened } else { &sightings.opened }.fetch_add(1, Relaxed);
            let mut at = match place {
                Some(at) if opened.resume == Resume::Recovered => at,
                Some(_) => {
                    sightings.losses_told.fetch_add(1, Relaxed);
                    opened.at
                }
                None => opened.at,
            };
            let here = at;
            sightings.stands(self.ticket.number, &mut at, here);
            let mut connection = Connection { stream, carry: opened.rest, since: now_us(), leave_at: None };
            let end = self.read(&mut connection, &mut at, &mut scanner).await;
            place = Some(at);
            match end {
                End::Moved => predecessor = Some(connection.stream),
                End::Cut => {
                    sightings.cut.fetch_add(1, Relaxed);
                    sleep(backoff.next(None)).await;
                }
            }
        }
    }

    async fn read(&self, connection: &mut Connection, at: &mut Cursor, scanner: &mut Scanner) -> End {
        loop {
            if !self.cut_up(connection, at, scanner) {
                return End::Cut;
            }
            tokio::select! {
                () = at_last(connection.leave_at) => return End::Moved,
                ready = connection.stream.readable() => {
                    if ready.is_err() || !fill(&connection.stream, &mut connection.carry) {
                        return End::Cut;
                    }
                }
            }
        }
    }

    /// Handles the frames that are there; whether the connection goes on.
    fn cut_up(&self, connection: &mut Connection, at: &mut Cursor, scanner: &mut Scanner) -> bool {
        let now = now_us();
        let bytes = std::mem::take(&mut connection.carry);
        let mut rest = &bytes[..];
        loop {
            match next_frame(rest) {
                Ok(Some((frame, used))) => {
                    match frame.opcode {
                        TEXT => self.text(frame.payload, connection, at, scanner, now),
                        PING => {
                            // A pong that does not fit into an empty socket has nobody waiting for it.
                            let _lost = connection.stream.try_write(&masked(PONG, frame.payload));
                        }
                        CLOSE => return false,
                        _ => {}
                    }
                    rest = &rest[used..];
                }
                Ok(None) => break,
                Err(_) => return false,
            }
        }
        connection.carry = rest.to_vec();
        true
    }

    fn text(&self, payload: &[u8], connection: &mut Connection, at: &mut Cursor, scanner: &mut Scanner, now: u64) {
        if let Some(id) = event_id(payload) {
            let sent = scanner.sent_at(payload);
            return self.sightings.event(self.ticket.number, id, at, sent, connection.since, now);
        }
        match serde_json::from_slice(payload) {
            Ok(ServerFrame::Resync { last_event_id, .. }) => {
                self.sightings.losses_told.fetch_add(1, Relaxed);
                self.sightings.stands(self.ticket.number, at, last_event_id);
            }
            Ok(ServerFrame::Reconnect { after_ms, .. }) => {
                connection.leave_at = Some(Instant::now() + Duration::from_millis(after_ms));
            }
            _ => {}
        }
    }
}

async fn at_last(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

/// Takes what the kernel has; whether the connection goes on.
fn fill(stream: &TcpStream, carry: &mut Vec<u8>) -> bool {
    let mut chunk = [0; CHUNK];
    match stream.try_read(&mut chunk) {
        Ok(0) => false,
        Ok(read) => {
            carry.extend_from_slice(&chunk[..read]);
            true
        }
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
