use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use shared::CompanyId;
use tokio::{sync::mpsc, time::interval};
use tracing::{debug, info, warn};

use super::{
    messages::{Admission, FromWorker, ToWorker, WorkerId},
    reads::ReadDone,
    sweep::room_budget,
};
use crate::{
    backplane::{Backplane, Interests, Scope, Signal, SignalReceiver},
    defaults::{BATCH, DISPATCHER_QUEUE, TICK},
    delivery::Delivery,
    health::Health,
    metrics::Metrics,
    room::{Effect, Outcome, Room, Stage},
};

/// How workers reach the dispatcher.
pub type DispatcherHandle = mpsc::Sender<FromWorker>;

/// A room, and which workers have sessions in it.
pub(super) struct Entry {
    pub(super) room: Room,
    pub(super) workers: Vec<WorkerId>,
    /// Since when nobody is in it.
    pub(super) empty_since: Option<Instant>,
    /// When the room last heard of an event or compared its position with the log.
    pub(super) proven_at: Instant,
    /// Reads that failed in a row.
    pub(super) failures: u32,
    /// Tells the answer to the last read from those to earlier ones.
    pub(super) read: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkState {
    /// Nobody knows yet; sessions wait.
    Unknown,
    Up,
    Down,
}

/// Owns the rooms.
pub struct Dispatcher {
    pub(super) backplane: Arc<dyn Backplane>,
    pub(super) interests: Arc<Interests>,
    pub(super) health: Arc<Health>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) link: LinkState,
    pub(super) rooms: HashMap<CompanyId, Entry>,
    pub(super) workers: HashMap<WorkerId, mpsc::Sender<ToWorker>>,
    pub(super) reads: mpsc::Sender<ReadDone>,
    pub(super) read_results: mpsc::Receiver<ReadDone>,
    pub(super) next_read: u64,
}

impl Dispatcher {
    /// Starts the task that owns the rooms. Must be called within a runtime.
    pub fn start(
        backplane: Arc<dyn Backplane>,
        signals: SignalReceiver,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
    ) -> DispatcherHandle {
        let (handle, requests) = mpsc::channel(DISPATCHER_QUEUE);
        let (reads, read_results) = mpsc::channel(BATCH);
        let dispatcher = Self {
            interests: backplane.interests(),
            health,
            backplane,
            metrics,
            link: LinkState::Unknown,
            rooms: HashMap::new(),
            workers: HashMap::new(),
            reads,
            read_results,
            next_read: 0,
        };
        tokio::spawn(dispatcher.run(signals, requests));
        handle
    }

    async fn run(mut self, mut signals: SignalReceiver, mut requests: mpsc::Receiver<FromWorker>) {
        let mut ticks = interval(TICK);
        let mut heard = Vec::with_capacity(BATCH);
        let mut asked = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = signals.receive(&mut heard) => {
                    if count == 0 {
                        return;
                    }
                    for signal in heard.drain(..) {
                        self.signal(signal).await;
                    }
                }
                _ = requests.recv_many(&mut asked, BATCH) => {
                    for request in asked.drain(..) {
                        self.request(request).await;
                    }
                }
                Some(done) = self.read_results.recv() => self.read_done(done).await,
                _ = ticks.tick() => self.sweep().await,
            }
        }
    }

    async fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Announced { company, record } => self.announced(company, &record).await,
            Signal::Up { moved, scope } => {
                // That a shard is down is said of each of its companies.
                self.link = LinkState::Up;
                self.health.link_known();
                if moved {
                    self.health.failed_over();
                }
                match scope {
                    Scope::All => self.rooms.values_mut().for_each(|entry| entry.room.link_up()),
                    Scope::Companies(companies) => {
                        for company in companies {
                            self.with_room(&company, |room, _| room.link_up()).await;
                        }
                    }
                }
            }
            Signal::Down(scope) => {
                self.health.link_known();
                match scope {
                    Scope::All => {
                        self.link = LinkState::Down;
                        self.each_room(|room, effects| room.link_down(effects)).await;
                    }
                    Scope::Companies(companies) => {
                        for company in companies {
                            self.with_room(&company, |room, effects| room.link_down(effects)).await;
                        }
                    }
                }
            }
            Signal::Subscribed(companies) => {
                for company in companies {
                    self.with_room(&company, |room, effects| room.subscribed(effects)).await;
                }
            }
            Signal::Overrun => {
                warn!("announcements were dropped; every room reads its log");
                self.each_room(|room, effects| room.doubt(effects)).await;
            }
        }
    }

    async fn announced(&mut self, company: CompanyId, record: &[u8]) {
        let Some(entry) = self.rooms.get_mut(&company) else { return };
        entry.proven_at = Instant::now();
        match Delivery::announced(record) {
            Ok(delivery) => {
                self.metrics.frames_encoded.inc();
                let was_live = entry.room.is_live();
                let delivery = Arc::new(delivery);
                self.with_room(&company, |room, effects| room.heard(delivery, effects)).await;
                if was_live && !self.rooms.get(&company).is_some_and(|entry| entry.room.is_live()) {
                    self.metrics.logs.gaps.inc();
                }
            }
            Err(error) => {
                self.metrics.dropped("malformed");
                debug!(%company, %error, "dropped a message that is not an event");
            }
        }
    }

    async fn request(&mut self, request: FromWorker) {
        match request {
            FromWorker::Hello(worker, sender) => {
                self.workers.insert(worker, sender);
            }
            FromWorker::Join { session, company, cursor } => {
                self.open(&company, session.worker);
                self.with_room(&company, |room, effects| room.join(session, cursor, effects)).await;
            }
            FromWorker::Move(moves) => {
                for sender in self.workers.values() {
                    // A worker that is gone has no sessions to move.
                    let _ = sender.send(ToWorker::Move(moves)).await;
                }
            }
            FromWorker::Cancel(session, company) => {
                self.with_room(&company, |room, _| room.cancel(session)).await;
            }
            FromWorker::Leave(worker, company) => {
                if let Some(entry) = self.rooms.get_mut(&company) {
                    entry.workers.retain(|other| *other != worker);
                    if entry.workers.is_empty() {
                        entry.empty_since = Some(Instant::now());
                    }
                }
            }
        }
    }

    /// Makes sure that there is a room, and that this worker hears of it.
    fn open(&mut self, company: &CompanyId, worker: WorkerId) {
        if !self.rooms.contains_key(company) {
            let stage = if self.link == LinkState::Down { Stage::Down } else { Stage::Subscribing };
            let room = Room::new(stage, room_budget(self.rooms.len() + 1));
            let entry =
                Entry { room, workers: vec![], empty_since: None, proven_at: Instant::now(), failures: 0, read: 0 };
            self.rooms.insert(company.clone(), entry);
            self.metrics.rooms.set(self.rooms.len() as i64);
            self.interests.set(company.clone(), true);
        }
        if let Some(entry) = self.rooms.get_mut(company) {
            entry.empty_since = None;
            if !entry.workers.contains(&worker) {
                entry.workers.push(worker);
            }
        }
    }

    pub(super) async fn with_room(&mut self, company: &CompanyId, act: impl FnOnce(&mut Room, &mut Vec<Effect>)) {
        let Some(entry) = self.rooms.get_mut(company) else { return };
        let mut effects = Vec::new();
        act(&mut entry.room, &mut effects);
        self.carry_out(company, effects).await;
    }

    async fn each_room(&mut self, act: impl Fn(&mut Room, &mut Vec<Effect>)) {
        let companies: Vec<_> = self.rooms.keys().cloned().collect();
        for company in companies {
            self.with_room(&company, &act).await;
        }
    }

    pub(super) async fn carry_out(&mut self, company: &CompanyId, effects: Vec<Effect>) {
        let mut gone = HashSet::new();
        for effect in effects {
            let Some(entry) = self.rooms.get_mut(company) else { return };
            let message = |company: &CompanyId| match &effect {
                Effect::Deliver(event) => Some(ToWorker::Deliver(company.clone(), event.clone())),
                Effect::CatchUp(events) => Some(ToWorker::CatchUp(company.clone(), events.clone())),
                Effect::Resync { position, reason } => Some(ToWorker::Resync(company.clone(), *position, reason)),
                Effect::Status(state) => Some(ToWorker::Status(company.clone(), *state)),
                Effect::Read(_) | Effect::Admit(..) => None,
            };
            for worker in &entry.workers {
                let (Some(message), Some(sender)) = (message(company), self.workers.get(worker)) else { continue };
                if sender.send(message).await.is_err() {
                    gone.insert(*worker);
                }
            }
            let degraded = entry.room.is_degraded();
            match effect {
                Effect::Read(from) => {
                    self.next_read += 1;
                    entry.read = self.next_read;
                    self.start_read(company.clone(), from, self.next_read);
                }
                Effect::Admit(session, outcome) => {
                    self.metrics.admitted(&outcome);
                    if let Outcome::Lost(position, reason) = &outcome {
                        debug!(%company, %position, reason, "a session is told of a loss");
                    }
                    if let Some(sender) = self.workers.get(&session.worker) {
                        let _ = sender.send(ToWorker::Admit(session, Admission { outcome, degraded })).await;
                    }
                }
                Effect::Resync { position, reason } => {
                    self.metrics.resyncs.inc();
                    info!(%company, %position, reason, "a room goes on from the present");
                }
                Effect::Deliver(_) | Effect::CatchUp(_) | Effect::Status(_) => {}
            }
        }
        for worker in gone {
            self.forget(worker);
        }
    }

    /// A worker's thread ended; its sessions ended with it.
    fn forget(&mut self, worker: WorkerId) {
        self.workers.remove(&worker);
        for entry in self.rooms.values_mut() {
            entry.workers.retain(|other| *other != worker);
            if entry.workers.is_empty() {
                entry.empty_since.get_or_insert_with(Instant::now);
            }
        }
    }
}
