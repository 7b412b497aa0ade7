use std::{collections::VecDeque, sync::Arc};

use shared::{Cursor, DeliveryState};

use super::{
    effect::{Effect, Outcome},
    joins::Waiting,
    reasons::REPLACED,
    recent::Recent,
    run::Run,
};
use crate::{
    backplane::{LogSlice, ReadError},
    delivery::Delivery,
};

/// What the room waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The link is down: nothing is heard.
    Down,
    /// The channel is being subscribed: not everything is heard yet.
    Subscribing,
    /// Everything is heard, but held back until the log was read.
    Reading,
    /// Every event that is heard follows the one before.
    Live,
}

/// A read of the log that is under way.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// It was asked for by a room in doubt, so it tells where the room stands.
    settles: bool,
    /// Where the room stood when it was asked for.
    asked_at: Option<Cursor>,
}

/// One company on this replica.
#[derive(Debug)]
pub struct Room {
    pub(super) stage: Stage,
    /// The newest event that the sessions have; `None` before the log was first read.
    pub(super) position: Option<Cursor>,
    pub(super) recent: Recent,
    /// Live events heard while the log is read.
    pub(super) held: VecDeque<Arc<Delivery>>,
    /// Something may have been missed since the read under way was asked for: the log must be read again.
    pub(super) overflowed: bool,
    /// Reads in a row after which a held event still did not follow.
    pub(super) rereads: u8,
    pub(super) waiting: Vec<Waiting>,
    /// The read under way.
    reading: Option<Reading>,
    /// Cursors before this one may belong to events that a failover lost; nothing is proven for them.
    pub(super) suspect: Option<Cursor>,
    /// The newest birth of a log that was heard of or read.
    pub(super) seen: Option<u64>,
    /// The newest birth of a log that has made way for another, or for none.
    pub(super) gone: Option<u64>,
    /// The sessions were told that events come late.
    pub(super) degraded: bool,
    /// How many bytes may be kept for sessions that return.
    pub(super) budget: usize,
}

impl Room {
    /// A room that nobody has been in yet.
    #[must_use]
    pub fn new(stage: Stage, budget: usize) -> Self {
        Self {
            stage,
            position: None,
            recent: Recent::default(),
            held: VecDeque::new(),
            overflowed: false,
            rereads: 0,
            waiting: Vec::new(),
            reading: None,
            suspect: None,
            seen: None,
            gone: None,
            degraded: stage == Stage::Down,
            budget,
        }
    }

    /// Whether the sessions were told that events come late.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.degraded
    }

    /// Whether every event that is heard follows the one before.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }

    /// Changes how many bytes may be kept for sessions that return.
    pub fn set_budget(&mut self, budget: usize) {
        self.budget = budget;
    }

    /// A live event was heard.
    pub fn heard(&mut self, event: Arc<Delivery>, effects: &mut Vec<Effect>) {
        self.saw(event.id);
        if self.stage != Stage::Live {
            self.hold(event);
        } else if let Err(event) = self.advance(event, effects) {
            self.hold(event);
            self.doubt(effects);
        }
    }

    /// The link is up again; the channel will be.
    pub fn link_up(&mut self) {
        self.stage = Stage::Subscribing;
    }

    /// The channel is subscribed: from here on everything is heard.
    pub fn subscribed(&mut self, effects: &mut Vec<Effect>) {
        self.stage = Stage::Reading;
        self.reading = None;
        self.read(effects);
    }

    /// Something may have been missed although the link is up.
    pub fn doubt(&mut self, effects: &mut Vec<Effect>) {
        match self.stage {
            Stage::Live => {
                // A read under way may have been answered before the doubt arose.
                self.overflowed = self.reading.is_some();
                self.stage = Stage::Reading;
                self.read(effects);
            }
            Stage::Reading => self.overflowed = true,
            Stage::Down | Stage::Subscribing => {}
        }
    }

    /// Nothing was heard for a while: compare the position with the log. The room stays live meanwhile.
    pub fn check(&mut self, effects: &mut Vec<Effect>) {
        if self.stage == Stage::Live {
            self.read(effects);
        }
    }

    /// The link is down.
    pub fn link_down(&mut self, effects: &mut Vec<Effect>) {
        self.stage = Stage::Down;
        self.reading = None;
        // They are in the log, unless a failover has lost them.
        self.held.clear();
        self.overflowed = false;
        if !self.degraded {
            self.degraded = true;
            effects.push(Effect::Status(DeliveryState::Degraded));
        }
        for waiting in self.waiting.iter_mut().filter(|waiting| !waiting.deferred) {
            waiting.deferred = true;
            effects.push(Effect::Admit(waiting.session, Outcome::Deferred(waiting.cursor)));
        }
    }

    /// The read that was asked for failed some time ago; ask again if it is still needed.
    pub fn retry(&mut self, effects: &mut Vec<Effect>) {
        if self.reading.take().is_some() {
            self.read(effects);
        }
    }

    /// The log was read from where the last [`Effect::Read`] said. True when the read failed and is to be retried.
    pub fn log(&mut self, result: Result<LogSlice, ReadError>, effects: &mut Vec<Effect>) -> bool {
        let Some(reading) = self.reading else { return false };
        let run = match result {
            Ok(slice) => Run::new(slice),
            Err(ReadError::TooFar { top }) => Run { events: vec![], top, complete: false },
            Err(ReadError::Unavailable(_)) => return true,
        };
        self.reading = None;
        self.saw(run.top);
        match self.stage {
            Stage::Reading if reading.settles || self.is_proven_by(&run) => self.settle(&run, effects),
            Stage::Live => self.overtake(&run, reading.asked_at, effects),
            _ => {}
        }
        if self.stage == Stage::Live && self.degraded {
            self.degraded = false;
            effects.push(Effect::Status(DeliveryState::Live));
        }
        if self.stage == Stage::Live {
            self.answer(&run, effects);
        }
        if !self.waiting.is_empty() || self.stage == Stage::Reading {
            self.read(effects);
        }
        false
    }

    /// Brings the position up to what the log says, and goes live with the events held back meanwhile.
    fn settle(&mut self, run: &Run, effects: &mut Vec<Effect>) {
        self.stage = Stage::Live;
        match self.position {
            None => {
                self.position = Some(run.top);
                self.recent.extend_back(&run.events, self.budget);
            }
            Some(position) => match run.after(position, self.recent.last()) {
                Ok(missed) => self.catch_up(missed, effects),
                Err(reason) => {
                    if reason == REPLACED {
                        self.suspect = Some(run.top);
                    }
                    let in_log = |id: &Cursor| id.epoch == run.top.epoch && *id <= run.top;
                    let first_held = self.held.iter().map(|event| event.id).find(in_log);
                    self.resync(first_held.map_or(run.top, Cursor::before), reason, effects);
                }
            },
        }
        self.release(run.top, effects);
        if std::mem::take(&mut self.overflowed) {
            self.stage = Stage::Reading;
        }
    }

    /// Whether the room's position can be told from a read that was asked for with another purpose.
    fn is_proven_by(&self, run: &Run) -> bool {
        self.position.is_some_and(|position| run.after(position, self.recent.last()).is_ok())
    }

    /// A live room may learn of an event, or that its log is another, from the log before it hears of it.
    fn overtake(&mut self, run: &Run, asked_at: Option<Cursor>, effects: &mut Vec<Effect>) {
        let position = self.position.unwrap_or(Cursor::EMPTY);
        let moved_on = asked_at != self.position && run.top.epoch == position.epoch && run.top <= position;
        match run.after(position, self.recent.last()) {
            Ok(missed) => self.catch_up(missed, effects),
            Err(_) if moved_on || (!run.complete && run.top == position) => {}
            Err(_) => self.stage = Stage::Reading,
        }
    }

    /// Asks for one read, from the furthest place that anybody needs. One at a time.
    pub(super) fn read(&mut self, effects: &mut Vec<Effect>) {
        if self.reading.is_none() {
            let from = self.waiting.iter().filter_map(|waiting| waiting.cursor).chain(self.position).min();
            for waiting in &mut self.waiting {
                waiting.covered = true;
            }
            self.reading = Some(Reading { settles: self.stage == Stage::Reading, asked_at: self.position });
            effects.push(Effect::Read(from));
        }
    }
}
