//! Carrying out what the dispatcher sends to a worker.
//!
//! Deliveries that wait together are written together: they are joined per room into one piece of bytes, which every
//! session's socket gets in one write. Everything else is carried out in its turn.

use std::{borrow::Cow, rc::Rc, sync::Arc};

use bytes::{Bytes, BytesMut};
use shared::{CompanyId, Cursor, DeliveryState, Resume, ServerFrame, TypeFilter};
use tokio::{sync::mpsc, task::yield_now};
use tracing::error;

use super::sessions::Registry;
use crate::{
    clock,
    defaults::{BATCH, MAX_COALESCED, MAX_FLUSH, MAX_JOINED_BACKLOG},
    delivery::Delivery,
    dispatcher::{Admission, Moves, SessionId, ToWorker},
    room::Outcome,
    session::{Control, Member, Stage},
    wire::Frame,
    worker::Worker,
};

/// Takes what the dispatcher sends, until it is gone.
pub async fn run(worker: Rc<Worker>, mut queue: mpsc::Receiver<ToWorker>) {
    // Sessions that nobody delivers to must not look alive.
    let guard = AbortAll(worker.clone());
    let mut batch = Vec::with_capacity(BATCH);
    let mut dirty = Vec::new();
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        for message in batch.drain(..) {
            match message {
                ToWorker::Deliver(company, event) => worker.registry.defer(company, event, &mut dirty),
                other => {
                    worker.flush(&mut dirty).await;
                    worker.carry_out(other).await;
                }
            }
        }
        worker.flush(&mut dirty).await;
        // The sockets get their turn even when more is waiting.
        yield_now().await;
    }
    drop(guard);
}

/// Gives up every session of the worker when deliveries end, whatever ended them.
struct AbortAll(Rc<Worker>);

impl Drop for AbortAll {
    fn drop(&mut self) {
        for (_, registered) in &*self.0.registry.sessions.borrow() {
            registered.member.sink.abort();
        }
        if std::thread::panicking() {
            error!("a worker can no longer deliver; the replica is to be restarted");
            self.0.app.health.set_broken();
        }
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
    async fn flush(&self, dirty: &mut Vec<CompanyId>) {
        for company in dirty.drain(..) {
            let pending = match self.registry.rooms.borrow_mut().get_mut(&company) {
                Some(room) => std::mem::take(&mut room.pending),
                None => continue,
            };
            self.deliver(&company, &pending, false).await;
        }
    }

    /// Sends events to everybody in a room, a part at a time, so that sockets can be written to in between.
    async fn deliver(&self, company: &CompanyId, events: &[Arc<Delivery>], owed: bool) {
        let mut rest = events;
        while !rest.is_empty() {
            let mut size = 0;
            let fits = |event: &&Arc<Delivery>| {
                size += event.size();
                size <= MAX_FLUSH
            };
            let (part, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            self.deliver_part(company, part, owed);
            rest = later;
            if !rest.is_empty() {
                yield_now().await;
            }
        }
    }

    pub(crate) fn deliver_part(&self, company: &CompanyId, events: &[Arc<Delivery>], owed: bool) {
        let rooms = self.registry.rooms.borrow();
        let (Some(room), Some(last)) = (rooms.get(company), events.last()) else { return };
        for (filter, members) in &room.groups {
            let passing = passing(events, filter);
            let pieces = join(&passing);
            for member in members {
                member.sink.deliver(&passing, &pieces, owed, last.id);
            }
            self.app.metrics.deliveries.inc_by((passing.len() * members.len()) as u64);
        }
        if !owed {
            self.app.metrics.latency.written(events);
            for event in events.iter().filter(|event| event.timing.is_some_and(|timing| timing.trace.is_some())) {
                self.app.traces.delivered(company, event, room.groups.values().map(Vec::len).sum());
            }
        }
    }

    async fn carry_out(&self, message: ToWorker) {
        match message {
            ToWorker::Deliver(..) => {}
            ToWorker::CatchUp(company, events) => self.deliver(&company, &events, true).await,
            ToWorker::Admit(session, admission) => self.admit(session, admission),
            ToWorker::Resync(company, position, reason) => {
                let rooms = self.registry.rooms.borrow();
                let Some(room) = rooms.get(&company) else { return };
                let frame = resync(position, reason);
                room.groups.values().flatten().for_each(|member| member.sink.tell(Control::Resync(position), &frame));
            }
            ToWorker::Status(company, state) => {
                let rooms = self.registry.rooms.borrow();
                let members = rooms.get(&company).into_iter().flat_map(|room| room.groups.values().flatten());
                members.for_each(|member| member.sink.tell(Control::Status(state), self.frames.status(state)));
            }
            ToWorker::Move(Moves::All { within }) => self.drain(within).await,
            ToWorker::Move(Moves::Some { share, within }) => self.shed(share, within),
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
        member.sink.deliver(&events, &backlog(&events), true, stands_at);
        self.app.metrics.deliveries.inc_by(events.len() as u64);
        if degraded != deferred {
            self.tell_status(&member, if degraded { DeliveryState::Degraded } else { DeliveryState::Live });
        }
        self.registry.enter(&member);
    }

    fn tell_status(&self, member: &Member, state: DeliveryState) {
        member.sink.tell(Control::Status(state), self.frames.status(state));
    }

    fn welcome(&self, member: &Member, position: Cursor, resume: Resume, deferred: bool) {
        let frame = Frame::of(&ServerFrame::Welcome {
            session: member.id(),
            company_id: member.company.clone(),
            last_event_id: if deferred { position } else { clock::outward(position) },
            resume,
            heartbeat_ms: u64::from(self.app.pace.heartbeat_secs) * 1000,
            token_expires_at: clock::date(member.expires_at.get()),
        });
        member.sink.tell(Control::Welcome { resume, position, deferred }, &frame);
        if let Some(outbox) = member.outbox() {
            // It has waited for this before reading from its client.
            outbox.wake();
        }
    }
}

fn resync(position: Cursor, reason: &str) -> Frame {
    Frame::of(&ServerFrame::Resync { reason: reason.to_owned(), last_event_id: clock::outward(position) })
}

/// What a filter lets through; all of it, for most sessions.
fn passing<'a>(events: &'a [Arc<Delivery>], filter: &TypeFilter) -> Cow<'a, [Arc<Delivery>]> {
    if filter.passes_all() {
        return Cow::Borrowed(events);
    }
    events.iter().filter(|event| filter.passes(event.event_type.as_str())).cloned().collect()
}

/// The frames of a backlog for a socket. A large one is not copied for each session that returns.
fn backlog(events: &[Arc<Delivery>]) -> Vec<Bytes> {
    if events.iter().map(|event| event.size()).sum::<usize>() <= MAX_JOINED_BACKLOG {
        join(events)
    } else {
        events.iter().map(|event| event.frame.bytes().clone()).collect()
    }
}

/// The frames for a socket, in as few pieces as their size allows.
fn join(events: &[Arc<Delivery>]) -> Vec<Bytes> {
    if let [only] = events {
        return vec![only.frame.bytes().clone()];
    }
    let size: usize = events.iter().map(|event| event.size()).sum();
    let (mut pieces, mut piece) = (Vec::new(), BytesMut::with_capacity(size.min(MAX_COALESCED)));
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
