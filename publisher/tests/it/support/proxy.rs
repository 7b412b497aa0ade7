//! A TCP proxy that loses one answer: Redis has executed the request, and the caller cannot know.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How the next answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not; for [`Proxy::lose_next`] this disarms.
    None = 0,
    /// The connection ends instead.
    Cut = 1,
    /// The connection stays, silent.
    Swallow = 2,
}

pub(crate) struct Proxy {
    port: u16,
    armed: Arc<AtomicU8>,
    lost: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (armed, lost) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicUsize::new(0)));
        let (arm, count) = (Arc::clone(&armed), Arc::clone(&lost));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server, Arc::clone(&arm), Arc::clone(&count)));
            }
        });
        Self { port, armed, lost, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on, once.
    pub(crate) fn lose_next(&self, fault: Fault) {
        self.armed.store(fault as u8, Ordering::SeqCst);
    }

    /// Answers lost so far.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(client: TcpStream, server: u16, armed: Arc<AtomicU8>, lost: Arc<AtomicUsize>) {
    let Ok(redis) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_redis, mut to_redis) = redis.into_split();
    let requests = tokio::io::copy(&mut from_client, &mut to_redis);
    let answers = async {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_redis.read(&mut bytes).await {
            let fault = armed.swap(Fault::None as u8, Ordering::SeqCst);
            if fault != Fault::None as u8 {
                lost.fetch_add(1, Ordering::SeqCst);
            }
            if fault == Fault::Cut as u8 {
                return;
            }
            if fault != Fault::Swallow as u8 && to_client.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = requests => {}
        () = answers => {}
    }
}
