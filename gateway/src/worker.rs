//! What the sessions of one worker thread share.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use shared::{DeliveryState, ServerFrame};
use tokio::sync::mpsc;

use crate::{
    app::App,
    auth::Identity,
    defaults::WORKER_QUEUE,
    dispatcher::{FromWorker, WorkerId},
    http::Problem,
    registry::{self, Registry},
    session::Places,
    wire::{self, Frame},
};

/// What the sessions of one worker thread share. Not shared with other threads, so nothing is locked.
pub struct Worker {
    /// What all workers share.
    pub app: Arc<App>,
    /// The sessions.
    pub registry: Registry,
    /// Frames that are always the same.
    pub frames: Frames,
    /// Where sessions read into, one after the other.
    pub read_buffer: RefCell<BytesMut>,
    /// A request was heard; see [`door::guarded`](crate::door::guarded).
    pub heard: Cell<bool>,
    tick: Cell<u32>,
}

/// Frames that are always the same, encoded once.
pub struct Frames {
    /// The answer to a client's `ping`.
    pub pong: Frame,
    /// A heartbeat.
    pub heartbeat: Frame,
    /// A heartbeat with a ping behind it, for WebSockets.
    pub heartbeat_with_ping: Bytes,
    live: Frame,
    degraded: Frame,
}

impl Frames {
    fn new() -> Self {
        let status = |delivery| Frame::of(&ServerFrame::Status { delivery });
        let heartbeat = Frame::of(&ServerFrame::Heartbeat {});
        Self {
            pong: Frame::of(&ServerFrame::Pong {}),
            heartbeat_with_ping: wire::heartbeat_with_ping(&heartbeat),
            heartbeat,
            live: status(DeliveryState::Live),
            degraded: status(DeliveryState::Degraded),
        }
    }

    /// A `status` frame.
    #[must_use]
    pub fn status(&self, state: DeliveryState) -> &Frame {
        match state {
            DeliveryState::Live => &self.live,
            DeliveryState::Degraded => &self.degraded,
        }
    }
}

impl Worker {
    /// Makes a worker of the current thread and starts its tasks: deliveries, the sessions' clocks, and the
    /// end of those who are cut off.
    #[must_use]
    pub fn start(app: Arc<App>) -> Rc<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let id = WorkerId(NEXT.fetch_add(1, Ordering::Relaxed));
        let (sender, queue) = mpsc::channel(WORKER_QUEUE);
        let worker = Rc::new(Self {
            registry: Registry::new(id, app.dispatcher.clone()),
            frames: Frames::new(),
            read_buffer: RefCell::default(),
            heard: Cell::new(false),
            tick: Cell::new(0),
            app,
        });
        let hello = FromWorker::Hello(id, sender);
        let starting = worker.clone();
        actix_rt::spawn(async move {
            // The dispatcher lives as long as the program.
            let _ = starting.app.dispatcher.send(hello).await;
            registry::run(starting, queue).await;
        });
        actix_rt::spawn(registry::watch(worker.clone()));
        actix_rt::spawn(registry::cut_off(worker.clone()));
        worker
    }

    /// Places for one more session, whose company id is kept once for all of the company's sessions.
    ///
    /// # Errors
    /// 503 when the replica takes none, 429 when the company or the user has too many.
    pub async fn places_for(&self, identity: &mut Identity) -> Result<Places, Problem> {
        self.registry.intern(&mut identity.company);
        self.app.admit(identity).await
    }

    /// Seconds since the worker started, as its timer counts them.
    #[must_use]
    pub fn tick(&self) -> u32 {
        self.tick.get()
    }

    /// Counts one more second.
    pub fn advance_tick(&self) -> u32 {
        self.tick.set(self.tick.get().wrapping_add(1));
        self.tick.get()
    }
}
