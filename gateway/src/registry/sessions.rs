use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, hash_map::Entry},
    rc::Rc,
    sync::Arc,
};

use actix::WeakAddr;
use shared::{CloseCode, CompanyId, Cursor, TypeFilter, TypePattern};
use slab::Slab;
use tokio::sync::mpsc;

use crate::{
    clock,
    delivery::Delivery,
    dispatcher::{DispatcherHandle, FromWorker, SessionId, WorkerId},
    session::{Disconnect, Member, Session, Stage},
};

/// The sessions of one worker.
pub struct Registry {
    worker: WorkerId,
    dispatcher: DispatcherHandle,
    pub(super) sessions: RefCell<Slab<Registered>>,
    pub(super) rooms: RefCell<HashMap<CompanyId, WorkerRoom>>,
    generation: Cell<u32>,
    /// Companies that nobody is here for any more, which the dispatcher could not be told yet.
    untold: RefCell<Vec<CompanyId>>,
}

/// A session and its actor.
pub(super) struct Registered {
    pub(super) member: Rc<Member>,
    /// Its actor, if it is a WebSocket.
    actor: Option<WeakAddr<Session>>,
    generation: u32,
}

/// One company's sessions on this worker.
#[derive(Default)]
pub(super) struct WorkerRoom {
    /// All of them, also those that are not let in yet.
    present: usize,
    /// Those that are in, by what they may receive: a filter is asked once per event and group.
    pub(super) groups: HashMap<Rc<TypeFilter>, Vec<Rc<Member>>>,
    /// Events that wait to be written together.
    pub(super) pending: Vec<Arc<Delivery>>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new(worker: WorkerId, dispatcher: DispatcherHandle) -> Self {
        Self {
            worker,
            dispatcher,
            sessions: RefCell::default(),
            rooms: RefCell::default(),
            generation: Cell::new(0),
            untold: RefCell::default(),
        }
    }

    /// Makes the company id share its memory with that of the sessions that are here.
    pub fn intern(&self, company: &mut CompanyId) {
        if let Some((known, _)) = self.rooms.borrow().get_key_value(company) {
            *company = known.clone();
        }
    }

    /// Registers a session and asks the dispatcher to let it in. Gives the slot to [`leave`](Self::leave) by.
    pub fn join(&self, member: Rc<Member>, actor: Option<WeakAddr<Session>>, cursor: Option<Cursor>) -> usize {
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let company = member.company.clone();
        self.rooms.borrow_mut().entry(company.clone()).or_default().present += 1;
        let slot = self.sessions.borrow_mut().insert(Registered { member: member.clone(), actor, generation });
        let session = SessionId { worker: self.worker, slot, generation };
        let cursor = cursor.map(clock::inward);
        if self.dispatcher.try_send(FromWorker::Join { session, company, cursor }).is_err() {
            member.sink.close(CloseCode::Overloaded);
        }
        slot
    }

    /// Ends a session: its actor does, if it has one.
    pub(super) fn disconnect(&self, registered: &Registered, code: CloseCode, tick: u32) {
        match &registered.actor {
            // Where nobody is any more, the session has ended.
            Some(actor) => drop(actor.upgrade().map(|actor| actor.try_send(Disconnect(code)))),
            None => self.end(&registered.member, code, tick),
        }
    }

    /// Sends nothing more but the reason. Once.
    pub fn end(&self, member: &Member, code: CloseCode, tick: u32) {
        if member.stage.get() != Stage::Ended {
            member.sink.close(code);
            member.since.set(tick);
            self.silence(member);
        }
    }

    /// The session, if it is still the one that is meant.
    pub(super) fn find(&self, id: SessionId) -> Option<Rc<Member>> {
        let sessions = self.sessions.borrow();
        let found = sessions.get(id.slot).filter(|registered| registered.generation == id.generation)?;
        Some(found.member.clone())
    }

    /// From here on the session receives its company's events.
    pub(super) fn enter(&self, member: &Rc<Member>) {
        if let Some(room) = self.rooms.borrow_mut().get_mut(&member.company) {
            member.stage.set(Stage::In);
            member.entered.set(true);
            room.add(member);
        }
    }

    /// The session receives no more events.
    fn silence(&self, member: &Member) {
        if member.stage.replace(Stage::Ended) == Stage::In
            && let Some(room) = self.rooms.borrow_mut().get_mut(&member.company)
        {
            room.remove(member);
        }
    }

    /// Changes what the session's token allows it to receive.
    pub fn set_allowed(&self, member: &Rc<Member>, allowed: Option<Vec<TypePattern>>) {
        let filter = Rc::new(member.filter.borrow().with_allowed(allowed));
        if *member.filter.borrow() == filter {
            return;
        }
        let inside = member.stage.get() == Stage::In;
        let mut rooms = self.rooms.borrow_mut();
        let Some(room) = rooms.get_mut(&member.company) else { return };
        if inside {
            room.remove(member);
        }
        member.filter.replace(filter);
        if inside {
            room.add(member);
        }
    }

    /// The session is over.
    pub fn leave(&self, slot: usize) {
        let Registered { member, generation, .. } = self.sessions.borrow_mut().remove(slot);
        self.silence(&member);
        if !member.entered.get() {
            // When the queue is full the room finds out when it lets the session in.
            let session = SessionId { worker: self.worker, slot, generation };
            let _ = self.dispatcher.try_send(FromWorker::Cancel(session, member.company.clone()));
        }
        let mut rooms = self.rooms.borrow_mut();
        if let Entry::Occupied(mut room) = rooms.entry(member.company.clone()) {
            room.get_mut().present -= 1;
            if room.get().present == 0 {
                room.remove();
                self.untold.borrow_mut().push(member.company.clone());
                drop(rooms);
                self.tell();
            }
        }
    }

    /// Tells the dispatcher about companies that nobody is here for any more.
    pub(super) fn tell(&self) {
        self.untold.borrow_mut().retain(|company| {
            !self.rooms.borrow().contains_key(company)
                && matches!(
                    self.dispatcher.try_send(FromWorker::Leave(self.worker, company.clone())),
                    Err(mpsc::error::TrySendError::Full(_))
                )
        });
    }
}

impl WorkerRoom {
    fn add(&mut self, member: &Rc<Member>) {
        let mut filter = member.filter.borrow_mut();
        if let Some((known, _)) = self.groups.get_key_value(&*filter) {
            *filter = known.clone();
        }
        let group = self.groups.entry(filter.clone()).or_default();
        member.index.set(group.len() as u32);
        group.push(member.clone());
    }

    fn remove(&mut self, member: &Member) {
        let filter = member.filter.borrow();
        let Some(group) = self.groups.get_mut(&*filter) else { return };
        let index = member.index.get() as usize;
        group.swap_remove(index);
        if let Some(moved) = group.get(index) {
            moved.index.set(index as u32);
        }
        if group.is_empty() {
            self.groups.remove(&*filter);
        } else if group.len() * 4 < group.capacity() {
            group.shrink_to_fit();
        }
    }
}
