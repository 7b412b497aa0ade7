//! An identity provider's key set, which a test can change, withhold, or replace by whatever an endpoint may say.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{PATIENCE, eventually};

/// What the server says.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// This document.
    Document(String),
    /// A status without one.
    Status(u16),
    /// The document is said to be elsewhere.
    Redirect(String),
    /// The beginning of a document that never ends.
    Endless,
    /// Nothing, although the request was taken.
    Silence,
}

impl Answer {
    /// A set of these keys.
    pub(crate) fn keys(keys: &[Value]) -> Self {
        Self::Document(json!({ "keys": keys }).to_string())
    }
}

/// A server on a port of its own.
pub(crate) struct KeyServer {
    address: SocketAddr,
    state: Arc<Mutex<(Answer, usize)>>,
    task: JoinHandle<()>,
}

impl KeyServer {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new((answer, 0)));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    /// Says something else from now on.
    pub(crate) fn say(&self, answer: Answer) {
        self.state.lock().unwrap().0 = answer;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().1
    }

    /// Waits until it was asked so often.
    pub(crate) async fn was_asked(&self, times: usize) {
        eventually("a fetch of the key set", async || match self.asked() {
            asked if asked >= times => Ok(()),
            asked => Err(asked),
        })
        .await;
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<(Answer, usize)>>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
    }
    let answer = {
        let mut state = state.lock().unwrap();
        state.1 += 1;
        state.0.clone()
    };
    let text = match answer {
        Answer::Document(text) => {
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())
        }
        Answer::Status(status) => format!("HTTP/1.1 {status} So it is\r\nContent-Length: 0\r\n\r\n"),
        Answer::Redirect(to) => format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"),
        Answer::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"keys\":[").await;
            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
            return;
        }
        Answer::Silence => return tokio::time::sleep(PATIENCE).await,
    };
    let _ = stream.write_all(text.as_bytes()).await;
}
