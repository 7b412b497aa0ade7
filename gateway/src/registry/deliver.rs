//! Carrying out what the dispatcher sends to a worker.
//!
//! Deliveries that wait together are written together: they are joined per room into one piece of bytes, which every
//! session's socket gets in one write. Everything else is carried out in its turn.

use std::{rc::Rc, sync::Arc};

use bytes::{Bytes, BytesMut};
use shared::{CloseCode, CompanyId, Cursor, DeliveryState, Resume, ServerFrame, TypeFilter};
use tokio::{sync::mpsc, task::yield_now};

use super::sessions::Registry;
use crate::{
    defaults::{BATCH, MAX_COALESCED},
    delivery::Delivery,
    dispatcher::{Admission, SessionId, ToWorker},
    room::Outcome,
    session::{Member, Stage, wire},
    worker::Worker,
};

/// Takes what the dispatcher sends, until it is gone.
pub async fn run(worker: Rc<Worker>, mut queue: mpsc::Receiver<ToWorker>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut dirty = Vec::new();
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        for message in batch.drain(..) {
            match message {
                ToWorker::Deliver(company, event) => worker.registry.defer(company, event, &mut dirty),
                other => {
                    worker.flush(&mut dirty);
                    worker.carry_out(other);
                }
            }
        }
        worker.flush(&mut dirty);
        // The sockets get their turn even when more is waiting.
        yield_now().await;
    }
}

impl Registry {
    /// Puts an event aside until the batch is complete.
    fn defer(&self, company: CompanyId, event: Arc<Delivery>, dirty: &mut Vec<CompanyId>) {
        if let Some(room) = self.rooms.borrow_mut().get_mut(&company) {
            if room.pending.is_empty() {
                dirty.push(company);
            }
            room.pending.push(event);
        }
    }
}

impl Worker {
    /// Writes what was put aside.
    fn flush(&self, dirty: &mut Vec<CompanyId>) {
        for company in dirty.drain(..) {
            let mut rooms = self.registry.rooms.borrow_mut();
            let Some(room) = rooms.get_mut(&company) else { continue };
            let pending = std::mem::take(&mut room.pending);
            for (filter, members) in &room.groups {
                let (pieces, count) = join(&pending, filter);
                for member in members {
                    for piece in &pieces {
                        member.outbox.send(piece);
                    }
                }
                self.app.metrics.deliveries.inc_by((count * members.len()) as u64);
            }
        }
    }

    fn carry_out(&self, message: ToWorker) {
        match message {
            ToWorker::Deliver(..) => {}
            ToWorker::Admit(session, admission) => self.admit(session, admission),
            ToWorker::Resync(company, last_event_id, reason) => {
                let frame = ServerFrame::Resync { reason: reason.to_owned(), last_event_id };
                self.tell_room(&company, &wire::frame(&frame));
            }
            ToWorker::Status(company, state) => self.tell_room(&company, self.frames.status(state)),
            ToWorker::Drain => {
                for (_, registered) in &*self.registry.sessions.borrow() {
                    registered.disconnect(CloseCode::Restart);
                }
            }
        }
    }

    /// Sends a frame to everybody who is in a company's room.
    fn tell_room(&self, company: &CompanyId, frame: &Bytes) {
        if let Some(room) = self.registry.rooms.borrow().get(company) {
            for member in room.groups.values().flatten() {
                member.outbox.send(frame);
            }
        }
    }

    /// Lets a session in, or welcomes it for the time being.
    fn admit(&self, session: SessionId, Admission { outcome, degraded }: Admission) {
        let Some(member) = self.registry.find(session) else { return };
        let deferred = match member.stage.get() {
            Stage::Joining => false,
            Stage::Deferred => true,
            Stage::In | Stage::Ended => return,
        };
        let (position, resume, missed, reason) = match outcome {
            Outcome::Fresh(position) => (position, Resume::Fresh, vec![], ""),
            Outcome::Recovered(position, missed) => (position, Resume::Recovered, missed, ""),
            Outcome::Lost(position, reason) => (position, Resume::Lost, vec![], reason),
            Outcome::Deferred(cursor) => {
                let resume = if cursor.is_some() { Resume::Recovered } else { Resume::Fresh };
                member.stage.set(Stage::Deferred);
                member.outbox.send(&self.welcome(&member, cursor.unwrap_or(Cursor::EMPTY), resume));
                member.outbox.send(self.frames.status(DeliveryState::Degraded));
                return member.outbox.wake();
            }
        };
        if !deferred {
            member.outbox.send(&self.welcome(&member, position, resume));
        } else if resume != Resume::Recovered {
            let frame = ServerFrame::Resync { reason: reason.to_owned(), last_event_id: position };
            member.outbox.send(&wire::frame(&frame));
        }
        let (pieces, count) = join(&missed, &member.filter.borrow());
        for piece in &pieces {
            member.outbox.send_owed(piece);
        }
        self.app.metrics.deliveries.inc_by(count as u64);
        if degraded != deferred {
            let state = if degraded { DeliveryState::Degraded } else { DeliveryState::Live };
            member.outbox.send(self.frames.status(state));
        }
        self.registry.enter(&member);
        member.outbox.wake();
    }

    fn welcome(&self, member: &Member, last_event_id: Cursor, resume: Resume) -> Bytes {
        wire::frame(&ServerFrame::Welcome {
            session: format!("{:016x}", member.session),
            company_id: member.company.clone(),
            last_event_id,
            resume,
            heartbeat_ms: u64::from(self.app.pace.heartbeat_secs) * 1000,
            token_expires_at: crate::clock::date(member.expires_at.get()),
        })
    }
}

/// The frames of the events that pass, in as few pieces as their size allows, and how many there are.
fn join(events: &[Arc<Delivery>], filter: &TypeFilter) -> (Vec<Bytes>, usize) {
    let mut passing = events.iter().filter(|event| filter.passes(event.event_type.as_str()));
    let (Some(first), second) = (passing.next(), passing.next()) else { return (vec![], 0) };
    let Some(second) = second else { return (vec![first.frame().clone()], 1) };
    let (mut pieces, mut count) = (Vec::new(), 0);
    let mut piece = BytesMut::new();
    for event in [first, second].into_iter().chain(passing) {
        if !piece.is_empty() && piece.len() + event.frame().len() > MAX_COALESCED {
            pieces.push(piece.split().freeze());
        }
        piece.extend_from_slice(event.frame());
        count += 1;
    }
    pieces.push(piece.freeze());
    (pieces, count)
}
