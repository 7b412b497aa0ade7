//! The life of a receiver: connect, listen, connect again.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use shared::{CompanyId, Cursor};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep},
};

use super::{Habits, Meter, Progress, Session, poll, sse, ws};
use crate::{
    defaults::BACKOFF,
    oracle::{Log, Seal},
};

/// A way to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(crate) enum Transport {
    /// WebSocket.
    Ws,
    /// Server-Sent Events.
    Sse,
    /// Long polling.
    Poll,
}

/// What a fault asks of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// To listen.
    Listen,
    /// To hang up and stay away.
    Away,
    /// To keep the connection and read nothing.
    Stall,
}

/// What makes one receiver.
pub(crate) struct Plan {
    /// Its name, for findings.
    pub(crate) name: String,
    /// The company that it is of.
    pub(crate) company: CompanyId,
    /// Its token, of the same company unless the run is a negative control.
    pub(crate) token: String,
    /// How it listens.
    pub(crate) transport: Transport,
    /// Where.
    pub(crate) address: SocketAddr,
    /// What it does as it should.
    pub(crate) habits: Habits,
    /// Seeds its backoff.
    pub(crate) seed: u64,
    /// Where it writes what it measures.
    pub(crate) meter: Arc<Meter>,
}

/// A receiver that runs; it ends when this is dropped.
pub(crate) struct Receiver {
    /// How it listens.
    pub(crate) transport: Transport,
    /// Where it goes.
    pub(crate) address: SocketAddr,
    /// Its company.
    pub(crate) company: CompanyId,
    name: String,
    log: Arc<Mutex<Log>>,
    progress: watch::Receiver<Progress>,
    orders: watch::Sender<Order>,
    task: AbortHandle,
}

impl Receiver {
    /// Lets it go.
    pub(crate) fn start(plan: Plan, seal: &Arc<Seal>, http: &reqwest::Client, started: Instant) -> Self {
        let log = Arc::new(Mutex::new(Log::new(plan.name.clone(), plan.company.clone())));
        let (sender, progress) = watch::channel(Progress::new());
        let (orders, obey) = watch::channel(Order::Listen);
        let (transport, company, name, address) =
            (plan.transport, plan.company.clone(), plan.name.clone(), plan.address);
        let session = Session::new(
            plan.company.clone(),
            plan.habits,
            seal.clone(),
            log.clone(),
            sender,
            started,
            plan.meter.clone(),
        );
        let task = threads().spawn(run(session, plan, http.clone(), obey)).abort_handle();
        Self { transport, address, company, name, log, progress, orders, task }
    }

    /// What it has done so far.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it stands.
    pub(crate) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn order(&self, order: Order) {
        self.orders.send_replace(order);
    }

    /// Waits until it has been welcomed.
    pub(crate) async fn connected(&self) {
        self.until(|progress| progress.connected.then_some(())).await;
    }

    /// Waits until it has caught up with a marker; says when it had.
    pub(crate) async fn caught_up(&self, marker: u64, at: Cursor) -> Instant {
        self.until(|progress| progress.caught_up(marker, at)).await
    }

    /// Waits for a state. For ever, if the receiver is gone: the caller bounds it.
    pub(crate) async fn until<T>(&self, test: impl Fn(&Progress) -> Option<T>) -> T {
        let mut progress = self.progress.clone();
        loop {
            if let Some(found) = test(&progress.borrow_and_update()) {
                return found;
            }
            if progress.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Threads of their own: thousands of receivers must not keep publishers, who are somebody else, from their turn.
fn threads() -> &'static Handle {
    static THREADS: OnceLock<Runtime> = OnceLock::new();
    let start = || Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads can be started");
    THREADS.get_or_init(start).handle()
}

async fn run(mut session: Session, plan: Plan, http: reqwest::Client, mut orders: watch::Receiver<Order>) {
    let mut dice = ChaCha8Rng::seed_from_u64(plan.seed);
    let mut bound = BACKOFF.0;
    loop {
        if orders.wait_for(|order| *order != Order::Away).await.is_err() {
            return;
        }
        let since = Instant::now();
        let stay = orders.clone();
        let pause = tokio::select! {
            over = listen(&mut session, &plan, &http, stay) => over,
            away = orders.wait_for(|order| *order == Order::Away) => if away.is_ok() { None } else { return },
        };
        session.cut();
        if let Some(pause) = pause {
            sleep(pause).await;
            continue;
        }
        bound = if since.elapsed() > BACKOFF.1 * 2 { BACKOFF.0 } else { (bound * 2).min(BACKOFF.1) };
        sleep(bound.mul_f64(dice.random_range(0.0..1.0))).await;
    }
}

/// Listens until the connection is over; the pause, if the gateway asked for one.
async fn listen(
    session: &mut Session,
    plan: &Plan,
    http: &reqwest::Client,
    orders: watch::Receiver<Order>,
) -> Option<std::time::Duration> {
    match plan.transport {
        Transport::Ws => ws::listen(session, plan, orders).await,
        Transport::Sse => sse::listen(session, plan, http, orders).await,
        Transport::Poll => poll::listen(session, plan, http, orders).await,
    }
}
