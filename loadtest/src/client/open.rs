//! Brings one session up: TCP from a chosen loopback address, upgrade, `welcome`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, bail};
use shared::{Cursor, Resume, ServerFrame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{
    frames::{CLOSE, TEXT, next_frame},
    handshake::{Answer, answer, request},
};
use crate::defaults::{OPEN_TIMEOUT, SESSIONS_PER_ADDRESS};

/// Where sessions connect to.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The gateway's public address.
    pub(crate) address: SocketAddr,
    /// The `Host` header.
    pub(crate) host: String,
    /// Path and query.
    pub(crate) target: String,
}

/// A session that has been welcomed.
pub(super) struct Opened {
    /// Its socket, non-blocking.
    pub(super) stream: std::net::TcpStream,
    /// The place that it stands at.
    pub(super) at: Cursor,
    /// What became of the cursor that it brought.
    pub(super) resume: Resume,
    /// What came behind the welcome.
    pub(super) rest: Vec<u8>,
}

/// The upgrade was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// With this status.
    pub(crate) status: u16,
    /// Not before this time has passed again.
    pub(crate) retry_after: Option<Duration>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.status)?;
        self.retry_after.map_or(Ok(()), |wait| write!(f, ", retry after {} s", wait.as_secs()))
    }
}

impl std::error::Error for Refused {}

impl Plan {
    /// The same, from a cursor on.
    pub(super) fn resuming(&self, place: Option<Cursor>) -> Self {
        let Some(place) = place else { return self.clone() };
        let separator = if self.target.contains('?') { '&' } else { '?' };
        Self { target: format!("{}{separator}lastEventId={place}", self.target), ..self.clone() }
    }

    /// Opens the session of this number.
    pub(super) async fn open(&self, number: usize, token: &str) -> anyhow::Result<Opened> {
        timeout(OPEN_TIMEOUT, self.open_in_any_time(number, token))
            .await
            .unwrap_or_else(|_| bail!("not welcomed within {} s", OPEN_TIMEOUT.as_secs()))
            .with_context(|| format!("session {number}"))
    }

    async fn open_in_any_time(&self, number: usize, token: &str) -> anyhow::Result<Opened> {
        let mut stream = self.connect(number).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&request(&self.host, &self.target, token)).await?;
        let mut bytes = Vec::with_capacity(1024);
        let switched = loop {
            more(&mut stream, &mut bytes).await?;
            match answer(&bytes).context("not an HTTP answer")? {
                Answer::Partial => {}
                Answer::Switched(length) => break length,
                Answer::Refused(status, retry_after) => bail!(Refused { status, retry_after }),
            }
        };
        bytes.drain(..switched);
        loop {
            if let Some((frame, used)) = next_frame(&bytes).map_err(|error| anyhow::anyhow!("{error:?} frame"))? {
                let welcome = match frame.opcode {
                    TEXT => welcomed(frame.payload)?,
                    CLOSE => bail!("closed before the welcome"),
                    _ => None,
                };
                bytes.drain(..used);
                if let Some((at, resume)) = welcome {
                    return Ok(Opened { stream: stream.into_std()?, at, resume, rest: bytes });
                }
            } else {
                more(&mut stream, &mut bytes).await?;
            }
        }
    }

    /// From 127.0.0.2, .3 and so on, each for some thousands of sessions: one address has only so many ports.
    async fn connect(&self, number: usize) -> anyhow::Result<TcpStream> {
        let IpAddr::V4(address) = self.address.ip() else { return Ok(TcpStream::connect(self.address).await?) };
        if !address.is_loopback() {
            return Ok(TcpStream::connect(self.address).await?);
        }
        let socket = TcpSocket::new_v4()?;
        let last = u8::try_from(2 + number / SESSIONS_PER_ADDRESS % 250).unwrap_or(2);
        socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).context("no source address left")?;
        socket.connect(self.address).await.with_context(|| format!("cannot connect to {}", self.address))
    }
}

/// What a welcome says; `None` for another frame.
fn welcomed(payload: &[u8]) -> anyhow::Result<Option<(Cursor, Resume)>> {
    match serde_json::from_slice(payload).context("the first frame")? {
        ServerFrame::Welcome { last_event_id, resume, .. } => Ok(Some((last_event_id, resume))),
        _ => Ok(None),
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
    anyhow::ensure!(stream.read_buf(bytes).await? > 0, "the connection ended");
    Ok(())
}
