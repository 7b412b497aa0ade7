//! Lets the story's clock run and hands over what happens when it happens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use shared::Envelope;
use tokio::{
    sync::mpsc::{Sender, error::TrySendError},
    time::Instant,
};

use super::{Args, Stamp};
use crate::{
    business::Business,
    defaults::NIGHT,
    story::{Company, Day, Moment, next_working_day},
    terminal,
};

/// A day is longer than this only at absurd speeds; the clock must not overflow even then.
const LONGEST_WAIT: f64 = 1e9;

/// Something that has happened and is to be published.
pub(super) struct Played {
    /// Index of the company.
    pub(super) company: usize,
    /// The story's time of day in seconds.
    pub(super) second: u32,
    /// What happened.
    pub(super) event: Business,
    /// The same, sealed: what is retried is exactly this.
    pub(super) envelope: Envelope,
}

/// How time passes.
enum Pace {
    /// So many seconds of the story in one second.
    Speed(f64),
    /// So many events in one second.
    Rate(f64),
}

/// Plays days.
pub(super) struct Player {
    companies: Vec<Company>,
    seed: u64,
    date: NaiveDate,
    pace: Pace,
    for_ever: bool,
    stamp: Stamp,
    queue: Option<Sender<Played>>,
    away: Arc<AtomicBool>,
    played: u64,
    dropped: u64,
}

impl Player {
    /// Plays into the queue; `away` says that nobody takes from it for now.
    pub(super) fn new(
        args: &Args,
        companies: Vec<Company>,
        date: NaiveDate,
        queue: Sender<Played>,
        away: Arc<AtomicBool>,
    ) -> Self {
        Self {
            companies,
            seed: args.seed,
            date,
            pace: args.rate.map_or(Pace::Speed(args.speed), Pace::Rate),
            for_ever: args.for_ever,
            stamp: args.stamp,
            queue: Some(queue),
            away,
            played: 0,
            dropped: 0,
        }
    }

    /// Plays one day, or all that come.
    pub(super) async fn play(&mut self) -> anyhow::Result<()> {
        loop {
            self.day().await?;
            if !self.for_ever {
                return Ok(());
            }
            self.date = next_working_day(self.date);
            if matches!(self.pace, Pace::Speed(_)) {
                tokio::time::sleep(NIGHT).await;
            }
        }
    }

    /// Nothing more will happen: the queue ends after what is in it.
    pub(super) fn hang_up(&mut self) {
        self.queue = None;
    }

    /// Events that happened.
    pub(super) fn played(&self) -> u64 {
        self.played
    }

    /// Events for which there was no room while the target was away.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    async fn day(&mut self) -> anyhow::Result<()> {
        let mut day = Day::new(self.seed, &self.companies, self.date)?;
        let morning = Instant::now();
        let mut first = None;
        let mut count = 0.0;
        while let Some(moment) = day.next() {
            let opens = *first.get_or_insert(moment.second);
            let due = match self.pace {
                Pace::Speed(speed) => f64::from(moment.second - opens) / speed,
                Pace::Rate(rate) => count / rate,
            };
            count += 1.0;
            let due = morning + Duration::from_secs_f64(due.min(LONGEST_WAIT));
            // At a high rate a timer per event would cost more than the event.
            if due > Instant::now() {
                tokio::time::sleep_until(due).await;
            }
            let story_time = day.clock(moment.second);
            self.hand_over(moment, story_time).await?;
        }
        Ok(())
    }

    async fn hand_over(&mut self, moment: Moment, story_time: DateTime<Utc>) -> anyhow::Result<()> {
        let time = match self.stamp {
            Stamp::Now => Utc::now().trunc_subsecs(3),
            Stamp::Story => story_time,
        };
        let company = &self.companies[moment.company];
        let event = moment.event.at(time);
        let envelope = event.seal(&company.id, moment.event_id, time)?;
        let played = Played { company: moment.company, second: moment.second, event, envelope };
        self.played += 1;
        let Some(queue) = &self.queue else { return Ok(()) };
        match queue.try_send(played) {
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) if self.away.load(Ordering::Relaxed) => {
                if self.dropped == 0 {
                    terminal::problem("the target has been away for too long: events are given up from here on");
                }
                self.dropped += 1;
            }
            // Played faster than the target stores: then the target sets the pace.
            Err(TrySendError::Full(played)) => {
                let _closed = queue.send(played).await;
            }
        }
        Ok(())
    }
}
