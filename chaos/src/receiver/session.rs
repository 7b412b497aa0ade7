//! A receiver's mind: cursor, gate and log. Frames in, notes out; no I/O.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use shared::{CompanyId, Cursor, DeliveryState, EventFrame, Resume, ServerFrame};
use tokio::{sync::watch, time::Instant};

use super::{Meter, Progress};
use crate::oracle::{Fact, Log, Seal, Step};

/// What a receiver does as it should. The negative controls leave one of these out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// It brings its cursor when it comes back.
    pub(crate) resumes: bool,
    /// It does not apply what it has applied.
    pub(crate) gates: bool,
}

impl Habits {
    /// As a real client.
    pub(crate) const GOOD: Self = Self { resumes: true, gates: true };
}

/// What a frame asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Nothing.
    Stay,
    /// To connect anew, after so long.
    Move(Duration),
}

/// A receiver's state across all its connections.
pub(crate) struct Session {
    company: CompanyId,
    habits: Habits,
    seal: Arc<Seal>,
    log: Arc<Mutex<Log>>,
    progress: watch::Sender<Progress>,
    position: Option<Cursor>,
    /// It joined while nobody could tell where the log ends: what it is told next is its beginning.
    unanchored: bool,
    started: Instant,
    meter: Arc<Meter>,
}

impl Session {
    pub(super) fn new(
        company: CompanyId,
        habits: Habits,
        seal: Arc<Seal>,
        log: Arc<Mutex<Log>>,
        progress: watch::Sender<Progress>,
        started: Instant,
        meter: Arc<Meter>,
    ) -> Self {
        Self { company, habits, seal, log, progress, position: None, unanchored: false, started, meter }
    }

    /// The cursor to connect with. Who does not gate goes back a little, so that events come again.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        let position = self.position.filter(|_| self.habits.resumes)?;
        let back = if self.habits.gates { 0 } else { 5 };
        Some(Cursor { seq: position.seq.saturating_sub(back), ..position })
    }

    /// The connection is over.
    pub(super) fn cut(&self) {
        self.progress.send_modify(|progress| {
            if progress.connected {
                self.meter.cut();
            }
            progress.cuts += 1;
            progress.connected = false;
        });
    }

    /// A frame came, as JSON.
    pub(super) fn frame(&mut self, text: &str) -> Reaction {
        match serde_json::from_str(text) {
            Ok(ServerFrame::Event(event)) => self.event(event),
            Ok(ServerFrame::Welcome { company_id, last_event_id, resume, .. }) => {
                if company_id != self.company {
                    self.write(Step::Foreign(format!("welcomed to {company_id}").into()));
                }
                self.welcome(resume, last_event_id);
            }
            Ok(ServerFrame::Resync { reason, last_event_id }) => self.jump(last_event_id, &reason),
            Ok(ServerFrame::Status { delivery: DeliveryState::Degraded }) => {
                self.progress.send_modify(|progress| progress.degraded += 1);
            }
            Ok(ServerFrame::Reconnect { after_ms, .. }) => return Reaction::Move(Duration::from_millis(after_ms)),
            Ok(_) => {}
            Err(error) => {
                let start: String = text.chars().take(200).collect();
                self.write(Step::Foreign(format!("no frame of ours ({error}): {start}").into()));
            }
        }
        Reaction::Stay
    }

    /// What became of the cursor.
    pub(super) fn welcome(&mut self, resume: Resume, at: Cursor) {
        match (resume, self.position) {
            (Resume::Fresh, Some(_)) if !self.habits.resumes => self.position = Some(at),
            (Resume::Fresh, _) => {
                self.unanchored = at == Cursor::EMPTY;
                self.start(at);
            }
            (Resume::Recovered, _) => {
                if let Some(brought) = self.cursor() {
                    self.write(Step::Resume { brought, at });
                }
            }
            (Resume::Lost, _) => self.jump(at, "lost"),
        }
        self.progress.send_modify(|progress| progress.connected = true);
    }

    /// An event came.
    pub(super) fn event(&mut self, event: EventFrame) {
        let published = event.time;
        let foreign = |what: String| Step::Foreign(format!("{} {what}", event.id).into());
        let step = match serde_json::from_value::<Fact>(event.data) {
            _ if event.company_id != self.company => foreign(format!("is of {}", event.company_id)),
            Err(error) => foreign(format!("has no fact in it: {error}")),
            Ok(fact) if fact.company != self.company => foreign(format!("holds a fact of {}", fact.company)),
            Ok(fact) if !self.seal.is_on(&fact) => foreign(format!("fact {} has a broken seal", fact.n)),
            Ok(_) if self.habits.gates && self.position.is_some_and(|position| event.id <= position) => {
                return self.lock().wire_duplicates += 1;
            }
            Ok(fact) => {
                self.unanchored = false;
                self.position = Some(event.id);
                self.meter.applied(published);
                self.write(Step::Event { at: event.id, fact: fact.n });
                if fact.marker {
                    // Who waits for it reads the log next.
                    self.progress.send_modify(|progress| progress.marker = (fact.n, Instant::now()));
                }
                return;
            }
        };
        self.write(step);
    }

    /// A poll named the place where its list ends: it must be where the list led.
    pub(super) fn stand_at(&mut self, at: Cursor) {
        if let Some(brought) = self.position.filter(|position| *position != at && self.habits.gates) {
            self.write(Step::Resume { brought, at });
            self.position = Some(at);
        }
    }

    /// The gateway says that something may be missing and where it goes on.
    fn jump(&mut self, to: Cursor, reason: &str) {
        if std::mem::take(&mut self.unanchored) {
            return self.start(to);
        }
        self.position = Some(to);
        let at_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.write(Step::Jump { to, at_ms, reason: reason.into() });
        self.progress.send_modify(|progress| {
            progress.jumps += 1;
            progress.jump = Some((to, Instant::now()));
        });
    }

    fn start(&mut self, at: Cursor) {
        self.position = Some(at);
        self.write(Step::Start(at));
    }

    fn write(&self, step: Step) {
        self.lock().steps.push(step);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
