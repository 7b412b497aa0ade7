//! Sessions that come all at once: one thread, one `epoll`, no task for a connection, requests written beforehand.
//!
//! So many are on their way in at a time; who waits for a turn waits on the clock too, since all of them mean to come at
//! the beginning. With goals each session also has to get the events up to a place.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    sync::{Arc, Weak},
    time::Duration,
};

use anyhow::Context;
use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};
use shared::{Cursor, Resume};

use super::{
    Plan, Refused,
    coming::Coming,
    fleet::allow_descriptors,
    opening::Progress,
    reader::{Session, cut},
    scan::Scanner,
    tally::{Tally, histogram},
};
use crate::{
    clock::now_us,
    defaults::{READ_BUFFER, RUSH_GIVES_UP, RUSH_RETRY},
    system::Ticket,
};

/// Who comes.
#[derive(Clone)]
pub(crate) struct Rush {
    /// Where to.
    pub(crate) plan: Plan,
    /// One for each session.
    pub(crate) tickets: Vec<Ticket>,
    /// On their way in at the same time.
    pub(crate) at_once: usize,
    /// The place that each session has to reach; empty: to be in is enough.
    pub(crate) goals: Vec<Cursor>,
}

/// What came of it. The sessions end with it.
pub(crate) struct Rushed {
    /// Sessions that are in.
    pub(crate) opened: u64,
    /// Attempts that failed. With goals whoever failed comes again.
    pub(crate) failed: u64,
    /// Why the first of them did.
    pub(crate) first_failure: Option<String>,
    /// Sessions that were told that events may be missing.
    pub(crate) lost_told: u64,
    /// From the beginning until the last session was in, in microseconds.
    pub(crate) opened_us: u64,
    /// From a session's connect until it was in, in microseconds.
    pub(crate) opening: Histogram<u64>,
    /// From the beginning until a session had reached its goal, in microseconds.
    pub(crate) caught_up: Histogram<u64>,
    /// What they were sent.
    pub(crate) tally: Tally,
    /// Where each session stands.
    pub(crate) places: Vec<Cursor>,
    /// Share of the time that the thread had nothing to do.
    pub(crate) reserve: f64,
    seats: Vec<Seat>,
}

enum Seat {
    Absent,
    Opening(Box<Coming>),
    In(Session),
}

struct Running<'a> {
    rush: &'a Rush,
    requests: Vec<Vec<u8>>,
    poll: Poll,
    scanner: Scanner,
    began_us: u64,
    on_the_way: usize,
    reached: usize,
    /// Who comes next, and not before when.
    queue: VecDeque<(u64, usize)>,
    /// Failures that are a sign of life: to come again to nobody is none.
    answered: u64,
    done: Rushed,
}

impl Rush {
    /// Lets them come, on a thread of its own, which ends when what waits for it here is dropped.
    pub(crate) async fn go(self) -> anyhow::Result<Rushed> {
        let wanted = Arc::new(());
        let wish = Arc::downgrade(&wanted);
        let rushed = tokio::task::spawn_blocking(move || self.run(&wish)).await?;
        drop(wanted);
        rushed
    }

    fn run(&self, wish: &Weak<()>) -> anyhow::Result<Rushed> {
        allow_descriptors(self.tickets.len())?;
        let count = self.tickets.len();
        let mut running = Running {
            requests: self.tickets.iter().map(|one| self.plan.dialect.request(&self.plan.host, one)).collect(),
            rush: self,
            poll: Poll::new()?,
            scanner: Scanner::new(),
            began_us: now_us(),
            on_the_way: 0,
            reached: 0,
            queue: (0..count).map(|index| (0, index)).collect(),
            answered: 0,
            done: Rushed {
                opened: 0,
                failed: 0,
                first_failure: None,
                lost_told: 0,
                opened_us: 0,
                opening: histogram(),
                caught_up: histogram(),
                tally: Tally::new(0),
                places: vec![Cursor::EMPTY; count],
                reserve: 0.0,
                seats: (0..count).map(|_| Seat::Absent).collect(),
            },
        };
        running.run(wish)?;
        Ok(running.done)
    }
}

impl Running<'_> {
    fn run(&mut self, wish: &Weak<()>) -> anyhow::Result<()> {
        let mut buffer = vec![0; READ_BUFFER].into_boxed_slice();
        let mut events = Events::with_capacity(1024);
        let (mut waited_us, mut progress, mut since) = (0, 0, now_us());
        while !self.complete() {
            anyhow::ensure!(wish.strong_count() > 0, "nobody waits for it any more");
            let now = now_us();
            while self.on_the_way < self.rush.at_once
                && let Some(&(due, index)) = self.queue.front()
                && due <= now
            {
                self.queue.pop_front();
                self.connect(index);
            }
            let idle = now_us();
            match self.poll.poll(&mut events, Some(Duration::from_millis(10))) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error).context("epoll"),
                _ => waited_us += now_us() - idle,
            }
            for event in &events {
                self.ready(event.token().0, &mut buffer);
            }
            let seen = self.done.opened + self.answered + self.done.tally.delivered;
            if seen > progress {
                (progress, since) = (seen, now_us());
            } else if now_us() - since > RUSH_GIVES_UP.as_micros() as u64 {
                break;
            }
        }
        self.done.reserve = waited_us as f64 / (now_us() - self.began_us).max(1) as f64;
        Ok(())
    }

    fn complete(&self) -> bool {
        let count = self.rush.tickets.len();
        let settled = if self.rush.goals.is_empty() {
            self.done.opened + self.done.failed
        } else {
            self.reached as u64 + self.done.tally.ended
        };
        settled >= count as u64
    }

    fn connect(&mut self, index: usize) {
        self.on_the_way += 1;
        let registered = Coming::begin(&self.rush.plan, self.rush.tickets[index].number, &self.requests[index])
            .and_then(|mut coming| {
                let interest = if coming.asked { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
                self.poll.registry().register(&mut coming.stream, Token(index), interest)?;
                Ok(coming)
            });
        match registered {
            Ok(coming) => self.done.seats[index] = Seat::Opening(Box::new(coming)),
            Err(error) => self.failed(index, &error.into()),
        }
    }

    fn failed(&mut self, index: usize, error: &anyhow::Error) {
        self.on_the_way -= 1;
        self.done.failed += 1;
        self.done.first_failure.get_or_insert_with(|| format!("{error:#}"));
        self.done.seats[index] = Seat::Absent;
        let refused = error.downcast_ref::<Refused>();
        self.answered += u64::from(self.rush.goals.is_empty() || refused.is_some());
        if !self.rush.goals.is_empty() {
            let pause = refused.and_then(|refused| refused.retry_after).unwrap_or(RUSH_RETRY).as_micros() as u64;
            self.queue.push_back((now_us() + pause, index));
        }
    }

    fn ready(&mut self, index: usize, buffer: &mut [u8]) {
        match &mut self.done.seats[index] {
            Seat::Absent => {}
            Seat::Opening(coming) => {
                let dialect = &*self.rush.plan.dialect;
                match coming.advance(&self.requests[index], dialect, &self.rush.tickets[index], buffer) {
                    Ok(Progress::Wait) => {}
                    Ok(Progress::Ready { at, resume }) => self.enter(index, at, resume),
                    Err(error) => self.failed(index, &error),
                }
            }
            Seat::In(_) => self.read(index, buffer),
        }
    }

    fn enter(&mut self, index: usize, at: Cursor, resume: Resume) {
        let Seat::Opening(coming) = std::mem::replace(&mut self.done.seats[index], Seat::Absent) else { return };
        let now = now_us();
        self.on_the_way -= 1;
        self.done.opened += 1;
        self.done.opened_us = now - self.began_us;
        self.done.opening.saturating_record((now - coming.began_us).max(1));
        self.done.lost_told += u64::from(resume == Resume::Lost);
        let last = match self.rush.tickets[index].after {
            Some(after) if resume == Resume::Recovered => after,
            _ => at,
        };
        let mut session = Session { stream: coming.stream, joined: last.seq, last, carry: Vec::new() };
        let over = cut(&mut session, &coming.carry, &*self.rush.plan.dialect, &mut self.scanner, &mut self.done.tally);
        self.stands(index, session.last, Cursor::EMPTY);
        self.done.seats[index] = Seat::In(session);
        if let Some(why) = over {
            self.end(index, why);
        }
    }

    fn read(&mut self, index: usize, buffer: &mut [u8]) {
        let Seat::In(session) = &mut self.done.seats[index] else { return };
        let before = session.last;
        let end = session.readable(buffer, &*self.rush.plan.dialect, &mut self.scanner, &mut self.done.tally);
        let last = session.last;
        self.stands(index, last, before);
        if let Some(why) = end {
            self.end(index, why);
        }
    }

    fn stands(&mut self, index: usize, at: Cursor, before: Cursor) {
        self.done.places[index] = at;
        if let Some(goal) = self.rush.goals.get(index)
            && at >= *goal
            && before < *goal
        {
            self.reached += 1;
            self.done.caught_up.saturating_record((now_us() - self.began_us).max(1));
        }
    }

    fn end(&mut self, index: usize, why: String) {
        self.done.seats[index] = Seat::Absent;
        self.done.tally.ended += 1;
        self.done.tally.first_end.get_or_insert(why);
    }
}

#[cfg(test)]
mod tests {
    use shared::CompanyId;

    use super::*;
    use crate::system::gateway::Ours;

    #[test]
    fn whoever_comes_back_to_nobody_stops_when_nobody_waits() {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let plan = Plan { address, host: address.to_string(), dialect: Arc::new(Ours::default()) };
        let room = CompanyId::parse("load-00000").unwrap();
        let ticket = Ticket { number: 0, room, token: "a.b.c".to_owned(), after: None };
        let goals = vec![Cursor { epoch: 1, seq: 1 }];
        let rush = Rush { plan, tickets: vec![ticket], at_once: 1, goals };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let waited = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(50), rush.go()).await });
        assert!(waited.is_err(), "it goes on trying");
        let began = now_us();
        // Waits for the thread.
        drop(runtime);
        assert!(now_us() - began < 2_000_000, "and stops");
    }
}
