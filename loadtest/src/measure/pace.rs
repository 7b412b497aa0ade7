//! Publishes at a rate, each event marked with the moment at which it was meant to go.
//!
//! That moment, not the one at which it went, is what latency counts from: a publisher that is held up makes the
//! numbers worse instead of hiding what it waited for.

use std::time::Duration;

use anyhow::bail;
use chrono::Utc;
use serde_json::value::RawValue;
use shared::{CompanyId, Cursor, Envelope, EventId, EventType};
use tokio::time::sleep;

use crate::{
    client::SENT_AT,
    clock::now_us,
    defaults::{BACKOFF, PACED_BATCH, TICK},
    target::{Stored, Target},
};

/// Attempts at one batch before the measurement is given up.
const ATTEMPTS: u32 = 5;

/// Publishes events of one size to rooms in turn.
pub(crate) struct Pacer {
    target: Target,
    rooms: Vec<CompanyId>,
    event_type: EventType,
    /// Makes the ids of this run its own.
    run: u64,
    pad: String,
    sent: u64,
    /// The newest place of each room's log.
    newest: Vec<Cursor>,
}

impl Pacer {
    /// Events whose frame is `size` bytes of JSON, as near as it goes.
    pub(crate) fn new(target: Target, rooms: Vec<CompanyId>, size: usize) -> anyhow::Result<Self> {
        anyhow::ensure!(!rooms.is_empty(), "at least one company");
        let event_type = EventType::parse("load:tick")?;
        let newest = vec![Cursor::EMPTY; rooms.len()];
        let mut pacer = Self { target, rooms, event_type, run: now_us(), pad: String::new(), sent: 0, newest };
        let place = Cursor { epoch: 1_763_800_000_000, seq: 1_000 };
        let bare = pacer.envelope(0, now_us())?.frame(place).len();
        anyhow::ensure!((bare..=60_000).contains(&size), "--size is {bare} to 60000");
        pacer.pad = "x".repeat(size - bare);
        Ok(pacer)
    }

    /// Publishes `count` events, `rate` a second. Back comes the longest time, in microseconds, after which an event
    /// was confirmed.
    pub(crate) async fn run(&mut self, count: u64, rate: f64) -> anyhow::Result<u64> {
        let start_us = now_us();
        let mut lag_us = 0;
        let mut done = 0;
        while done < count {
            let due = due(start_us, rate, now_us()).min(count).min(done + PACED_BATCH as u64);
            if due <= done {
                sleep(TICK).await;
                continue;
            }
            let batch = (done..due)
                .map(|index| {
                    self.sent += 1;
                    self.envelope(self.sent, intended(start_us, rate, index))
                })
                .collect::<anyhow::Result<Vec<_>>>()?;
            let stored = self.publish(&batch).await?;
            let first = self.sent + 1 - batch.len() as u64;
            for (number, stored) in (first..).zip(stored) {
                let room = self.room(number)?;
                self.newest[room] = stored.id;
            }
            lag_us = lag_us.max(now_us().saturating_sub(intended(start_us, rate, done)));
            done = due;
        }
        Ok(lag_us)
    }

    /// The newest place of each room's log, by number of the room.
    pub(crate) fn newest(&self) -> &[Cursor] {
        &self.newest
    }

    /// The room that an event goes to.
    fn room(&self, number: u64) -> anyhow::Result<usize> {
        Ok(usize::try_from(number % self.rooms.len() as u64)?)
    }

    async fn publish(&self, batch: &[Envelope]) -> anyhow::Result<Vec<Stored>> {
        let mut pause: Duration = BACKOFF.0;
        for _ in 1..ATTEMPTS {
            match self.target.publish(batch).await {
                Ok(stored) => return Ok(stored),
                Err(error) if error.retryable => sleep(error.retry_after.unwrap_or(pause)).await,
                Err(error) => bail!("cannot publish: {}", error.message),
            }
            pause *= 2;
        }
        match self.target.publish(batch).await {
            Ok(stored) => Ok(stored),
            Err(error) => bail!("cannot publish: {}", error.message),
        }
    }

    fn envelope(&self, number: u64, sent_at: u64) -> anyhow::Result<Envelope> {
        let room = &self.rooms[self.room(number)?];
        let data = RawValue::from_string(format!("{{\"{SENT_AT}\":{sent_at},\"pad\":\"{}\"}}", self.pad))?;
        let event_id = EventId::parse(&format!("load-{}-{number}", self.run))?;
        Ok(Envelope::raw(room, event_id, self.event_type.clone(), Utc::now(), &data)?)
    }
}

/// How many events are due by now: the first at once.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts far below 2^52")]
fn due(start_us: u64, rate: f64, now: u64) -> u64 {
    (now.saturating_sub(start_us) as f64 / 1e6 * rate) as u64 + 1
}

/// When an event is meant to go.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds far below 2^52")]
fn intended(start_us: u64, rate: f64, index: u64) -> u64 {
    start_us + (index as f64 / rate * 1e6) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_before_its_time_and_everything_goes() {
        let (start, rate) = (1_763_800_000_000_000, 3_000.0);
        for now in (start..start + 2_000_000).step_by(777) {
            let due = due(start, rate, now);
            assert!(intended(start, rate, due - 1) <= now);
            assert!(intended(start, rate, due) + 1 >= now);
        }
        assert_eq!(due(start, rate, start + 1_000_000), 3_001);
    }
}
