//! A link to Redis that can go deaf: everything is still taken, and nothing that Redis says arrives any more. And one
//! that can be cut: no connection lasts, and none is made.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

use super::Redis;

/// A TCP proxy before a Redis.
pub(crate) struct Proxy {
    address: SocketAddr,
    /// Connections accepted before this one, by number, are deaf if they have subscribed.
    deaf_before: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
    cut: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(redis: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (deaf_before, accepted) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let cut = watch::Sender::new(false);
        let run = run(listener, redis.address(), deaf_before.clone(), accepted.clone(), cut.clone());
        Self { address, deaf_before, accepted, cut, task: tokio::spawn(run) }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Ends every connection; new ones are ended at once.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Lets connections through again.
    pub(crate) fn mend(&self) {
        self.cut.send_replace(false);
    }

    /// From now on the connections that have subscribed hear nothing more; they stay open. Later ones hear.
    pub(crate) fn deafen(&self) {
        self.deaf_before.store(self.accepted.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    listener: TcpListener,
    redis: SocketAddr,
    deaf_before: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
    cut: watch::Sender<bool>,
) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let mut cut = cut.subscribe();
        if *cut.borrow() {
            continue;
        }
        let server = TcpStream::connect(redis).await.unwrap();
        let number = accepted.fetch_add(1, Ordering::SeqCst);
        let deaf_before = deaf_before.clone();
        let subscribed = Arc::new(AtomicBool::new(false));
        let is_deaf = {
            let subscribed = subscribed.clone();
            move || subscribed.load(Ordering::SeqCst) && number < deaf_before.load(Ordering::SeqCst)
        };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::spawn(async move {
            // When either side ends, both do.
            tokio::select! {
                () = ask(from_client, to_server, &subscribed) => {}
                () = answer(from_server, to_client, is_deaf) => {}
                _ = cut.wait_for(|cut| *cut) => {}
            }
        });
    }
}

async fn ask(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, subscribed: &AtomicBool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = client.read(&mut buffer).await {
        // A short command comes in one piece.
        if buffer[..length].windows(9).any(|word| word == b"SUBSCRIBE") {
            subscribed.store(true, Ordering::SeqCst);
        }
        if server.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn answer(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, is_deaf: impl Fn() -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = server.read(&mut buffer).await {
        if !is_deaf() && client.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
