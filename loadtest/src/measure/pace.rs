//! Publishes at a rate, each event marked with the moment at which it was meant to go.
//!
//! That moment, not the one at which it went, is what latency counts from: a publisher that is held up makes the
//! numbers worse instead of hiding what it waited for.

use std::time::Duration;

use shared::{CompanyId, Cursor};
use tokio::time::sleep;

use crate::{
    client::marks,
    clock::now_us,
    defaults::{PACED_BATCH, TICK},
    system::{Outlet, Parcel},
};

/// Publishes events of one size to rooms in turn.
pub(crate) struct Pacer {
    outlet: Box<dyn Outlet>,
    rooms: Vec<CompanyId>,
    size: usize,
    sent: u64,
    /// Waits to the microsecond, at the cost of everything else on the runtime.
    punctual: bool,
    /// The newest place of each room's log.
    newest: Vec<Cursor>,
}

impl Pacer {
    /// Events of `size` bytes of JSON, as near as it goes, with what an application gets around the data.
    pub(crate) fn new(outlet: Box<dyn Outlet>, rooms: Vec<CompanyId>, size: usize) -> anyhow::Result<Self> {
        anyhow::ensure!(!rooms.is_empty(), "at least one company");
        let around = outlet.around()?;
        let least = around + data(now_us(), 1_000, 0).len();
        anyhow::ensure!((least..=60_000).contains(&size), "--size is {least} to 60000");
        let newest = vec![Cursor::EMPTY; rooms.len()];
        Ok(Self { outlet, rooms, size: size - around, sent: 0, punctual: false, newest })
    }

    /// The same, but no event goes late because the runtime's timers count in milliseconds.
    pub(crate) fn punctual(self) -> Self {
        Self { punctual: true, ..self }
    }

    /// Publishes `count` events, `rate` a second. Back comes the longest time, in microseconds, after which an event
    /// was confirmed.
    pub(crate) async fn run(&mut self, count: u64, rate: f64) -> anyhow::Result<u64> {
        self.run_from(now_us(), count, rate).await
    }

    /// The same, the first of them being meant to go at a moment, which may be over.
    pub(crate) async fn run_from(&mut self, start_us: u64, count: u64, rate: f64) -> anyhow::Result<u64> {
        anyhow::ensure!(rate > 0.0 && rate.is_finite(), "a rate is more than nothing");
        let mut lag_us = 0;
        let mut done = 0;
        while done < count {
            let due = due(start_us, rate, now_us()).min(count).min(done + PACED_BATCH as u64);
            if due <= done {
                let ahead = intended(start_us, rate, done).saturating_sub(now_us());
                if self.punctual && ahead <= 2 * TICK.as_micros() as u64 {
                    std::thread::sleep(Duration::from_micros(ahead + 1));
                } else {
                    sleep(TICK).await;
                }
                continue;
            }
            let first = self.sent;
            let batch = (done..due).map(|index| self.parcel(intended(start_us, rate, index))).collect::<Vec<_>>();
            for (number, place) in (first..).zip(self.outlet.publish(&batch).await?) {
                let room = self.room(number);
                self.newest[room] = place;
            }
            lag_us = lag_us.max(now_us().saturating_sub(intended(start_us, rate, done)));
            done = due;
        }
        Ok(lag_us)
    }

    /// The newest place of each room's log, by number of the room, where the system has logs.
    pub(crate) fn newest(&self) -> &[Cursor] {
        &self.newest
    }

    /// The room that an event goes to.
    #[expect(clippy::cast_possible_truncation, reason = "a remainder of a usize")]
    fn room(&self, number: u64) -> usize {
        (number % self.rooms.len() as u64) as usize
    }

    fn parcel(&mut self, sent_at: u64) -> Parcel {
        let number = self.sent;
        self.sent += 1;
        let seq = number / self.rooms.len() as u64 + 1;
        Parcel { room: self.rooms[self.room(number)].clone(), json: data(sent_at, seq, self.size) }
    }
}

/// The data of an event: its marks, and padding up to a size.
fn data(sent_at: u64, seq: u64, size: usize) -> String {
    let mut data = format!("{{{},\"pad\":\"", marks(sent_at, seq));
    let pad = size.saturating_sub(data.len() + 2);
    data.extend(std::iter::repeat_n('x', pad));
    data + "\"}"
}

/// How many events are due by now: the first at the start.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts far below 2^52")]
fn due(start_us: u64, rate: f64, now: u64) -> u64 {
    now.checked_sub(start_us).map_or(0, |gone| (gone as f64 / 1e6 * rate) as u64 + 1)
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
    fn data_is_json_of_the_size_that_was_asked_for() {
        for size in [60, 300] {
            let data = data(1_763_800_000_000_000, 7, size);
            assert_eq!(data.len(), size);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&data).unwrap()["seq"], 7);
        }
    }

    #[test]
    fn nothing_goes_before_its_time_and_everything_goes() {
        let (start, rate) = (1_763_800_000_000_000, 3_000.0);
        for now in (start..start + 2_000_000).step_by(777) {
            let due = due(start, rate, now);
            assert!(intended(start, rate, due - 1) <= now);
            assert!(intended(start, rate, due) + 1 >= now);
        }
        assert_eq!(due(start, rate, start + 1_000_000), 3_001);
        assert_eq!((due(start, rate, start - 1), due(start, rate, start)), (0, 1));
    }
}
