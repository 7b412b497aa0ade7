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
    session::{Control, Member, Stage},
    wire::Frame,
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
            room.position = pending.last().map(|event| event.id).or(room.position);
            for (filter, members) in &room.groups {
                let events = passing(&pending, filter);
                let pieces = join(&events);
                for member in members {
                    member.sink.deliver(&events, &pieces, false);
                }
                self.app.metrics.deliveries.inc_by((events.len() * members.len()) as u64);
            }
        }
    }

    fn carry_out(&self, message: ToWorker) {
        match message {
            ToWorker::Deliver(..) => {}
            ToWorker::Admit(session, admission) => self.admit(session, admission),
            ToWorker::Resync(company, position, reason) => {
                let mut rooms = self.registry.rooms.borrow_mut();
                let Some(room) = rooms.get_mut(&company) else { return };
                room.position = Some(position);
                let frame = resync(position, reason);
                room.groups.values().flatten().for_each(|member| member.sink.tell(Control::Resync(position), &frame));
            }
            ToWorker::Status(company, state) => {
                let rooms = self.registry.rooms.borrow();
                let members = rooms.get(&company).into_iter().flat_map(|room| room.groups.values().flatten());
                members.for_each(|member| member.sink.tell(Control::Status(state), self.frames.status(state)));
            }
            ToWorker::Drain => {
                for (_, registered) in &*self.registry.sessions.borrow() {
                    self.registry.disconnect(registered, CloseCode::Restart, self.tick());
                }
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
                self.welcome(&member, cursor.unwrap_or(Cursor::EMPTY), resume, true);
                self.tell_status(&member, DeliveryState::Degraded);
                return;
            }
        };
        if !deferred {
            self.welcome(&member, position, resume, false);
        } else if resume != Resume::Recovered {
            member.sink.tell(Control::Resync(position), &resync(position, reason));
        }
        let stands_at = missed.last().map_or(position, |event| event.id);
        let events = passing(&missed, &member.filter.borrow());
        member.sink.deliver(&events, &join(&events), true);
        self.app.metrics.deliveries.inc_by(events.len() as u64);
        if degraded != deferred {
            self.tell_status(&member, if degraded { DeliveryState::Degraded } else { DeliveryState::Live });
        }
        self.registry.enter(&member, stands_at);
    }

    fn tell_status(&self, member: &Member, state: DeliveryState) {
        member.sink.tell(Control::Status(state), self.frames.status(state));
    }

    fn welcome(&self, member: &Member, position: Cursor, resume: Resume, deferred: bool) {
        let frame = Frame::of(&ServerFrame::Welcome {
            session: format!("{:016x}", member.session),
            company_id: member.company.clone(),
            last_event_id: position,
            resume,
            heartbeat_ms: u64::from(self.app.pace.heartbeat_secs) * 1000,
            token_expires_at: crate::clock::date(member.expires_at.get()),
        });
        member.sink.tell(Control::Welcome { resume, position, deferred }, &frame);
        if let Some(outbox) = member.outbox() {
            // It has waited for this before reading from its client.
            outbox.wake();
        }
    }
}

fn resync(position: Cursor, reason: &str) -> Frame {
    Frame::of(&ServerFrame::Resync { reason: reason.to_owned(), last_event_id: position })
}

fn passing(events: &[Arc<Delivery>], filter: &TypeFilter) -> Vec<Arc<Delivery>> {
    events.iter().filter(|event| filter.passes(event.event_type.as_str())).cloned().collect()
}

/// The frames for a socket, in as few pieces as their size allows.
fn join(events: &[Arc<Delivery>]) -> Vec<Bytes> {
    if let [only] = events {
        return vec![only.frame.bytes().clone()];
    }
    let (mut pieces, mut piece) = (Vec::new(), BytesMut::new());
    for event in events {
        if !piece.is_empty() && piece.len() + event.size() > MAX_COALESCED {
            pieces.push(piece.split().freeze());
        }
        piece.extend_from_slice(event.frame.bytes());
    }
    if !piece.is_empty() {
        pieces.push(piece.freeze());
    }
    pieces
}
