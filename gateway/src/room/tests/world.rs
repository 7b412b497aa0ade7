//! A log, a link and some sessions around a room, for the property test.

use std::{collections::HashMap, sync::Arc};

use proptest::test_runner::TestCaseError;
use shared::Cursor;

use super::{at, event_of, property::Happening, session};
use crate::{
    backplane::{LogSlice, ReadError},
    delivery::Delivery,
    room::{Effect, Outcome, Room, Stage},
};

/// A log, as far as reading it goes.
#[derive(Clone)]
struct Log {
    epoch: u64,
    first: u64,
    top: u64,
    lineage: Vec<u64>,
}

pub(super) struct World {
    room: Room,
    epoch: u64,
    top: u64,
    first: u64,
    /// Which history each number of the log belongs to; a failover that loses events begins another.
    lineage: Vec<u64>,
    histories: u64,
    linked: bool,
    /// The read that was asked for and not answered, and the log as it was then: Redis reads it some time in between.
    read: Option<(Option<Cursor>, Log)>,
    /// Cursors that a session came with and that the log could prove then.
    provable: HashMap<usize, Cursor>,
    next_slot: usize,
    /// Where each session stands that was let in.
    sessions: HashMap<usize, Place>,
    deferred: Vec<usize>,
}

/// Where a session stands, and in which history, as far as it has seen an event of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    position: Cursor,
    lineage: Option<u64>,
}

impl Log {
    fn event(&self, seq: u64) -> Delivery {
        event_of(at(self.epoch, seq), self.lineage[seq as usize - 1])
    }

    fn slice(&self, from: Option<Cursor>) -> LogSlice {
        let top = (self.top >= self.first && self.top > 0).then(|| at(self.epoch, self.top));
        let events = match from {
            Some(from) => {
                (self.first..=self.top).filter(|seq| at(self.epoch, *seq) >= from).map(|seq| self.event(seq)).collect()
            }
            None => top.map(|top| self.event(top.seq)).into_iter().collect(),
        };
        LogSlice { top, events }
    }
}

fn lineage_of(event: &Delivery) -> u64 {
    let json: serde_json::Value = serde_json::from_slice(event.frame.json()).unwrap();
    json["lineage"].as_u64().unwrap()
}

impl World {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            room: Room::new(Stage::Subscribing, budget),
            epoch: 1,
            top: 0,
            first: 1,
            lineage: vec![],
            histories: 0,
            linked: false,
            read: None,
            provable: HashMap::new(),
            next_slot: 0,
            sessions: HashMap::new(),
            deferred: vec![],
        }
    }

    fn log_top(&self) -> Cursor {
        if self.top == 0 { Cursor::EMPTY } else { at(self.epoch, self.top) }
    }

    pub(super) fn happen(&mut self, happening: &Happening) -> Result<(), TestCaseError> {
        let mut effects = vec![];
        match happening {
            Happening::Publish | Happening::PublishUnheard => {
                self.top += 1;
                self.lineage.push(self.histories);
                if self.linked && matches!(happening, Happening::Publish) {
                    let delivery = Arc::new(self.event(self.top));
                    self.room.heard(delivery, &mut effects);
                }
            }
            Happening::LinkBreaks => {
                self.linked = false;
                self.read = None;
                self.room.link_down(&mut effects);
            }
            Happening::LinkReturns => {
                if !self.linked {
                    self.linked = true;
                    self.room.link_up();
                    self.room.subscribed(&mut effects);
                }
            }
            Happening::ReadAnswers => {
                if let Some((from, _)) = self.read.take() {
                    let slice = self.log().slice(from);
                    self.room.log(Ok(slice), &mut effects);
                }
            }
            Happening::ReadAnswersLate => {
                if let Some((from, log)) = self.read.take() {
                    self.room.log(Ok(log.slice(from)), &mut effects);
                }
            }
            Happening::ReadFails => {
                if self.read.is_some() {
                    self.room.log(Err(ReadError::Unavailable(String::new())), &mut effects);
                    self.read = None;
                    self.room.retry(&mut effects);
                }
            }
            Happening::Join(back) => {
                let slot = self.next_slot;
                self.next_slot += 1;
                let cursor = (*back > 0).then(|| at(self.epoch, (self.top + 3).saturating_sub(*back)));
                let cursor = cursor.filter(|cursor| cursor.seq > 0);
                if let Some(cursor) = cursor.filter(|cursor| cursor.seq <= self.top && cursor.seq + 1 >= self.first) {
                    self.provable.insert(slot, cursor);
                }
                self.room.join(session(slot), cursor, &mut effects);
            }
            // What could be proven before may be lost from here on.
            Happening::Trim(_) | Happening::Wipe | Happening::LoseTail(_) if !self.provable.is_empty() => {
                self.provable.clear();
                return self.happen(happening);
            }
            Happening::Trim(keep) => self.first = self.first.max((self.top + 1).saturating_sub(*keep)),
            Happening::Wipe => {
                self.epoch += 1;
                self.top = 0;
                self.first = 1;
                self.lineage.clear();
            }
            Happening::LoseTail(count) => {
                let kept = self.top.saturating_sub(*count).max(1).min(self.top);
                self.lineage.truncate(kept as usize);
                self.top = kept;
                self.first = self.first.min(kept.max(1));
                self.histories += 1;
                self.linked = false;
                self.read = None;
                self.room.link_down(&mut effects);
            }
            Happening::Check => self.room.check(&mut effects),
        }
        self.carry_out(effects)
    }

    fn log(&self) -> Log {
        Log { epoch: self.epoch, first: self.first, top: self.top, lineage: self.lineage.clone() }
    }

    fn event(&self, seq: u64) -> Delivery {
        self.log().event(seq)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), TestCaseError> {
        for effect in effects {
            match effect {
                Effect::Read(from) => {
                    let log = self.log();
                    if self.read.replace((from, log)).is_some() {
                        return Err(TestCaseError::fail("two reads at once"));
                    }
                }
                Effect::Deliver(event) => self.deliver(&event)?,
                Effect::CatchUp(events) => events.iter().try_for_each(|event| self.deliver(event))?,
                Effect::Resync { position, .. } => {
                    self.sessions.values_mut().for_each(|place| *place = Place { position, lineage: None });
                }
                Effect::Status(_) => {}
                Effect::Admit(who, outcome) => self.admit(who.slot, outcome)?,
            }
        }
        Ok(())
    }

    fn deliver(&mut self, event: &Delivery) -> Result<(), TestCaseError> {
        let before = event.id.before();
        let history = (before.epoch == self.epoch && before.seq > 0)
            .then(|| self.lineage.get(before.seq as usize - 1).copied())
            .flatten();
        for place in self.sessions.values_mut() {
            if !event.id.follows(place.position) {
                return Err(TestCaseError::fail(format!("{} delivered after {place:?}", event.id)));
            }
            if let (Some(seen), Some(history)) = (place.lineage, history)
                && seen != history
            {
                return Err(TestCaseError::fail(format!("{} continues another history", event.id)));
            }
            *place = Place { position: event.id, lineage: Some(lineage_of(event)) };
        }
        Ok(())
    }

    fn admit(&mut self, slot: usize, outcome: Outcome) -> Result<(), TestCaseError> {
        let position = match outcome {
            Outcome::Deferred(_) => {
                self.deferred.push(slot);
                return Ok(());
            }
            Outcome::Lost(_, reason) if self.histories == 0 && self.provable.contains_key(&slot) => {
                return Err(TestCaseError::fail(format!("{slot} has lost nothing, but is told: {reason}")));
            }
            Outcome::Fresh(position) | Outcome::Lost(position, _) => position,
            Outcome::Recovered(cursor, events) => {
                let mut position = cursor;
                for event in events {
                    if !event.id.follows(position) {
                        return Err(TestCaseError::fail(format!("{} recovered after {position}", event.id)));
                    }
                    position = event.id;
                }
                position
            }
        };
        self.deferred.retain(|waiting| *waiting != slot);
        if self.sessions.insert(slot, Place { position, lineage: None }).is_some() {
            return Err(TestCaseError::fail("let in twice"));
        }
        // Whoever is let in stands where everybody else does.
        if self.sessions.values().any(|other| other.position != position) {
            return Err(TestCaseError::fail(format!("let in at {position} among {:?}", self.sessions)));
        }
        Ok(())
    }

    /// The link returns, one more event is heard and every read is answered: everybody has everything.
    pub(super) fn settle(mut self) -> Result<(), TestCaseError> {
        self.happen(&Happening::LinkReturns)?;
        for _ in 0..10 {
            self.happen(&Happening::ReadAnswers)?;
        }
        self.happen(&Happening::Publish)?;
        for _ in 0..10 {
            self.happen(&Happening::ReadAnswers)?;
        }
        let top = self.log_top();
        let behind: Vec<_> = self.sessions.iter().filter(|(_, place)| place.position != top).collect();
        if behind.is_empty() && self.sessions.len() == self.next_slot && self.deferred.is_empty() {
            Ok(())
        } else {
            Err(TestCaseError::fail(format!(
                "top {top}, behind {behind:?}, {} of {} let in",
                self.sessions.len(),
                self.next_slot
            )))
        }
    }
}
