//! How a room's position moves: event by event, by what was missed, or by a jump that everybody is told of.

use std::sync::Arc;

use shared::Cursor;

use super::{
    effect::Effect,
    reasons::UNPROVEN,
    sync::{Room, Stage},
};
use crate::{
    defaults::{MAX_HELD, MAX_REREADS},
    delivery::Delivery,
};

impl Room {
    /// A log was heard of, or read: one that was born before it is gone, and so is every one when it is empty. That holds
    /// also for logs of which nothing was delivered.
    pub(super) fn saw(&mut self, top: Cursor) {
        if top == Cursor::EMPTY {
            self.gone = self.seen;
        } else if self.seen.is_none_or(|seen| seen < top.epoch) {
            self.gone = self.seen;
            self.seen = Some(top.epoch);
        }
    }

    /// Handles the events that were held back while the log was read.
    pub(super) fn release(&mut self, top: Cursor, effects: &mut Vec<Effect>) {
        while let Some(event) = self.held.pop_front() {
            if event.id.epoch < top.epoch {
                // Its log has made way for the one that was read.
                continue;
            }
            if let Err(event) = self.advance(event, effects) {
                self.rereads += 1;
                if self.rereads <= MAX_REREADS {
                    // It may have happened after the log was read.
                    self.held.push_front(event);
                    self.stage = Stage::Reading;
                } else {
                    // Among them may be events that happened after the log was read.
                    self.held.clear();
                    self.overflowed = true;
                    self.rereads = 0;
                    self.resync(top, UNPROVEN, effects);
                }
                return;
            }
        }
        self.rereads = 0;
    }

    /// Delivers what was missed; the events follow each other and the position.
    pub(super) fn catch_up(&mut self, missed: &[Arc<Delivery>], effects: &mut Vec<Effect>) {
        let Some(last) = missed.last() else { return };
        self.position = Some(last.id);
        for event in missed {
            self.recent.push(event.clone(), self.budget);
        }
        effects.push(Effect::CatchUp(missed.to_vec()));
    }

    pub(super) fn resync(&mut self, position: Cursor, reason: &'static str, effects: &mut Vec<Effect>) {
        self.position = Some(position);
        self.recent.clear();
        effects.push(Effect::Resync { position, reason });
    }

    /// Delivers an event that follows and drops one that is known. Gives it back when there is a hole before it.
    pub(super) fn advance(&mut self, event: Arc<Delivery>, effects: &mut Vec<Effect>) -> Result<(), Arc<Delivery>> {
        let position = self.position.unwrap_or(Cursor::EMPTY);
        if event.id.follows(position) {
            self.position = Some(event.id);
            self.recent.push(event.clone(), self.budget);
            effects.push(Effect::Deliver(event));
            Ok(())
        } else if event.id.epoch == position.epoch && event.id <= position && !self.recent.contradicts(&event) {
            Ok(())
        } else {
            Err(event)
        }
    }

    pub(super) fn hold(&mut self, event: Arc<Delivery>) {
        if self.held.len() < MAX_HELD {
            self.held.push_back(event);
        } else {
            self.overflowed = true;
        }
    }
}
