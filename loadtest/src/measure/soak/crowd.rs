//! The sessions of a soak: some stay, some are always coming and going. Each is a client that comes back and resumes.

use std::{collections::VecDeque, sync::Arc};

use shared::CompanyId;
use tokio::task::AbortHandle;

use crate::{
    client::{Plan, Session, Sightings},
    system::Subject,
};

/// Who is there, the longest first.
pub(super) struct Crowd<'a> {
    subject: &'a Subject,
    plan: Plan,
    rooms: &'a [CompanyId],
    sessions: VecDeque<AbortHandle>,
    /// Sessions that there ever were.
    pub(super) came: usize,
    /// What they see.
    pub(super) sightings: Arc<Sightings>,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(subject: &'a Subject, rooms: &'a [CompanyId]) -> Self {
        Self {
            subject,
            plan: subject.plan(),
            rooms,
            sessions: VecDeque::new(),
            came: 0,
            sightings: Arc::new(Sightings::new(0)),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Lets some come, each a user that was never there before.
    pub(super) fn come(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            let ticket = self.subject.ticket(self.came, self.rooms)?;
            self.came += 1;
            let session = Session { ticket, plan: self.plan.clone(), sightings: self.sightings.clone() };
            self.sessions.push_back(tokio::spawn(session.run()).abort_handle());
        }
        Ok(())
    }

    /// Lets those go who have been there for the longest.
    pub(super) fn go(&mut self, count: usize) {
        for session in self.sessions.drain(..count.min(self.sessions.len())) {
            session.abort();
        }
    }
}

impl Drop for Crowd<'_> {
    fn drop(&mut self) {
        self.go(usize::MAX);
    }
}
