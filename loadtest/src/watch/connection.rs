//! One WebSocket of the watcher: the upgrade and what comes over it.

use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use shared::Cursor;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{ClientRequestBuilder, Error, Message},
};

use super::next::{Next, after_close, after_refusal};
use crate::{
    defaults::{OPEN_TIMEOUT, SILENCE},
    target::{problem, retry_after},
};

/// Something that came, or the end.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A text frame.
    Text(String),
    /// The connection is over: why, for people, and what to do.
    Over(String, Next),
}

/// An open WebSocket.
pub(super) struct Connection(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Connection {
    /// Opens one, resuming after `position`.
    pub(super) async fn open(
        url: &Url,
        token: &SecretString,
        types: Option<&str>,
        position: Option<Cursor>,
    ) -> Result<Self, (String, Next)> {
        let mut url = url.clone();
        if let Some(position) = position {
            url.query_pairs_mut().append_pair("lastEventId", &position.to_string());
        }
        if let Some(types) = types {
            url.query_pairs_mut().append_pair("types", types);
        }
        let never = |error: anyhow::Error| (format!("{error:#}"), Next::Stop);
        let uri = url.as_str().parse().context("--url").map_err(never)?;
        let request = ClientRequestBuilder::new(uri)
            .with_header("authorization", format!("Bearer {}", token.expose_secret()))
            .with_sub_protocol("realtime.v1");
        match timeout(OPEN_TIMEOUT, connect_async(request)).await {
            Ok(Ok((socket, _))) => Ok(Self(socket)),
            Ok(Err(Error::Http(response))) => {
                let status = response.status().as_u16();
                let said = problem(response.body().as_deref().unwrap_or_default());
                Err((format!("refused with {status} ({said})"), after_refusal(status, retry_after(response.headers()))))
            }
            Ok(Err(error)) => Err((format!("cannot connect: {error}"), Next::BackOff(None))),
            Err(_) => Err((format!("no answer within {} s", OPEN_TIMEOUT.as_secs()), Next::BackOff(None))),
        }
    }

    /// The next thing that comes. Pings are answered underneath.
    pub(super) async fn next(&mut self, patience: Duration) -> Incoming {
        loop {
            let broken = |why: String| Incoming::Over(why, after_close(None));
            return match timeout(patience, self.0.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => Incoming::Text(text.as_str().to_owned()),
                Ok(Some(Ok(Message::Close(frame)))) => {
                    let code = frame.as_ref().map(|frame| u16::from(frame.code));
                    let why = frame.map_or("closed without a code".to_owned(), |frame| {
                        format!("closed with {} {}", frame.code, frame.reason)
                    });
                    Incoming::Over(why, after_close(code))
                }
                Ok(Some(Ok(_))) => continue,
                Ok(Some(Err(error))) => broken(format!("connection broken: {error}")),
                Ok(None) => broken("connection ended".to_owned()),
                Err(_) => broken(format!("silent for {} s", patience.as_secs())),
            };
        }
    }

    /// Says goodbye, without waiting for an answer.
    pub(super) async fn close(mut self) {
        let _gone = timeout(Duration::from_secs(1), self.0.close(None)).await;
    }
}

/// How long a connection may be silent: three heartbeats.
pub(super) fn patience(heartbeat_ms: u64) -> Duration {
    if heartbeat_ms == 0 { SILENCE } else { Duration::from_millis(heartbeat_ms.saturating_mul(3)).min(SILENCE * 8) }
}
