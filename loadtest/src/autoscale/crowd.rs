//! The clients: as many as the story wants, each with its company, on a thread of their own.

use std::{net::SocketAddr, sync::Arc, thread::JoinHandle};

use shared::{CompanyId, UserId};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    task::AbortHandle,
};

use crate::{
    client::{Plan, Session, Sightings},
    measure::mint::Mint,
    system::{Ticket, gateway::Ours},
};

/// Sessions that come and go.
pub(super) struct Crowd {
    rooms: Vec<CompanyId>,
    addresses: Vec<SocketAddr>,
    mint: Mint,
    sessions: Vec<AbortHandle>,
    /// What they see.
    pub(super) sightings: Arc<Sightings>,
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Nobody yet, of `most`.
    pub(super) fn new(
        most: usize,
        rooms: Vec<CompanyId>,
        addresses: Vec<SocketAddr>,
        mint: Mint,
    ) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("clients".to_owned()).spawn(move || {
            let _stopped = runtime.block_on(stopped);
        })?;
        let sightings = Arc::new(Sightings::new(most));
        Ok(Self {
            rooms,
            addresses,
            mint,
            sessions: Vec::new(),
            sightings,
            handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Lets some come, or the last ones go.
    pub(super) fn resize(&mut self, count: usize) -> anyhow::Result<()> {
        while self.sessions.len() > count {
            if let Some(session) = self.sessions.pop() {
                session.abort();
            }
        }
        while self.sessions.len() < count {
            let number = self.sessions.len();
            let address = self.addresses[number % self.addresses.len()];
            let plan = Plan { address, host: address.to_string(), dialect: Arc::new(Ours::default()) };
            let room = self.rooms[number % self.rooms.len()].clone();
            let token = self.mint.session(room.clone(), UserId::parse(&format!("user-{number}"))?)?;
            let ticket = Ticket { number, room, token, after: None };
            let session = Session { ticket, plan, sightings: self.sightings.clone() };
            self.sessions.push(self.handle.spawn(session.run()).abort_handle());
        }
        Ok(())
    }

    /// Events that those who are here do not have, by the newest place of each room.
    pub(super) fn behind(&self, newest: &[u64]) -> u64 {
        let missing = |number: usize| newest[number % newest.len()].saturating_sub(self.sightings.place(number));
        (0..self.sessions.len()).map(missing).sum()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
