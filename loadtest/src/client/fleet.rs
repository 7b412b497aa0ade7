//! All sessions of a measurement and the threads that read them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, anyhow};
use futures_util::{StreamExt, stream};
use mio::{Poll, Waker};
use socket2::SockRef;

use super::{
    open::Plan,
    reader::{Command, Reader, WAKE},
    tally::Tally,
};
use crate::{
    defaults::{OPENING_AT_ONCE, SPARE_FDS},
    system::{Dialect, Ticket},
    terminal,
};

/// Sessions by the thousand.
pub(crate) struct Fleet {
    readers: Vec<Line>,
    delivered: Arc<AtomicU64>,
}

/// The counts of all readers over a span.
pub(crate) struct Taken {
    /// Added up.
    pub(crate) tally: Tally,
    /// How long the busiest reader waited, in microseconds.
    pub(crate) least_waited_us: u64,
}

struct Line {
    commands: SyncSender<Command>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Fleet {
    /// Opens `count` sessions, each with the ticket of its number, read by so many threads.
    pub(crate) async fn open(
        plan: &Plan,
        count: usize,
        readers: usize,
        ticket: impl Fn(usize) -> anyhow::Result<Ticket>,
    ) -> anyhow::Result<Self> {
        allow_descriptors(count)?;
        let delivered = Arc::<AtomicU64>::default();
        let readers = (0..readers.max(1))
            .map(|_| Line::start(plan.dialect.clone(), delivered.clone()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let fleet = Self { readers, delivered };
        let progress = terminal::progress("sessions", count as u64);
        let mut opening = stream::iter(0..count)
            .map(|number| {
                let ticket = ticket(number);
                async move { plan.open(&ticket?).await.map(|opened| (number, opened)) }
            })
            .buffer_unordered(OPENING_AT_ONCE);
        while let Some(opened) = opening.next().await {
            let (number, opened) = opened?;
            // Its port does not rest afterwards: the next measurement needs it.
            SockRef::from(&opened.stream).set_linger(Some(Duration::ZERO))?;
            fleet.readers[number % fleet.readers.len()].tell(Command::Add(Box::new(opened)))?;
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(fleet)
    }

    /// Deliveries since the beginning.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// The counts since the last call; the next ones make room for `events` of the wide room.
    pub(crate) fn take(&self, events: usize) -> anyhow::Result<Taken> {
        let mut taken: Option<Taken> = None;
        for reader in &self.readers {
            let (reply, answer) = sync_channel(1);
            reader.tell(Command::Take(events, reply))?;
            let tally = answer.recv().context("a reader thread is gone")?;
            taken = Some(match taken {
                None => Taken { least_waited_us: tally.waited_us, tally },
                Some(mut taken) => {
                    taken.least_waited_us = taken.least_waited_us.min(tally.waited_us);
                    taken.tally.add(&tally);
                    taken
                }
            });
        }
        taken.context("no reader")
    }
}

impl Line {
    fn start(dialect: Arc<dyn Dialect>, delivered: Arc<AtomicU64>) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let (commands, inbox) = sync_channel(OPENING_AT_ONCE);
        let reader = Reader::new(poll, inbox, dialect, delivered);
        let thread = std::thread::Builder::new().name("reader".to_owned()).spawn(move || reader.run())?;
        Ok(Self { commands, waker, thread: Some(thread) })
    }

    fn tell(&self, command: Command) -> anyhow::Result<()> {
        self.commands.send(command).map_err(|_| anyhow!("a reader thread is gone"))?;
        Ok(self.waker.wake()?)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _gone = self.tell(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// A descriptor for each session: raised as far as we may.
pub(crate) fn allow_descriptors(sessions: usize) -> anyhow::Result<()> {
    let needed = sessions as u64 + SPARE_FDS;
    let (soft, hard) = rlimit::Resource::NOFILE.get()?;
    if soft >= needed {
        return Ok(());
    }
    rlimit::Resource::NOFILE
        .set(needed.max(hard), needed.max(hard))
        .or_else(|_| rlimit::Resource::NOFILE.set(needed.min(hard), hard))?;
    let allowed = rlimit::Resource::NOFILE.get_soft()?;
    anyhow::ensure!(
        allowed >= needed,
        "{sessions} sessions need {needed} open files, the limit is {allowed} (ulimit -n)"
    );
    Ok(())
}
