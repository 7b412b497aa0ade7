//! Brings one session up: TCP from a chosen loopback address, upgrade, and whatever is said until it is in.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock},
};

use anyhow::{Context, bail};
use shared::{Cursor, Resume};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::opening::{Opening, Progress};
use crate::{
    defaults::{OPEN_TIMEOUT, SESSIONS_PER_ADDRESS},
    system::{Dialect, Ticket},
};

static FIRST_ADDRESS: LazyLock<usize> = LazyLock::new(|| usize::from(rand::random::<u8>()));

/// Where sessions connect to, and what is spoken there.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The public address.
    pub(crate) address: SocketAddr,
    /// The `Host` header.
    pub(crate) host: String,
    /// How to speak to it.
    pub(crate) dialect: Arc<dyn Dialect>,
}

/// A session that is in.
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

impl Plan {
    /// Opens a session.
    pub(super) async fn open(&self, ticket: &Ticket) -> anyhow::Result<Opened> {
        timeout(OPEN_TIMEOUT, self.open_in_any_time(ticket))
            .await
            .unwrap_or_else(|_| bail!("not welcomed within {} s", OPEN_TIMEOUT.as_secs()))
            .with_context(|| format!("session {}", ticket.number))
    }

    async fn open_in_any_time(&self, ticket: &Ticket) -> anyhow::Result<Opened> {
        let mut stream = self.connect(ticket.number).await?;
        stream.set_nodelay(true)?;
        let mut say = self.dialect.request(&self.host, ticket);
        let mut bytes = Vec::with_capacity(1024);
        let mut opening = Opening::default();
        loop {
            if !say.is_empty() {
                stream.write_all(&say).await?;
                say.clear();
            }
            anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection ended");
            let progress = opening.advance(&*self.dialect, ticket, &mut bytes, &mut say)?;
            if let Progress::Ready { at, resume } = progress {
                stream.write_all(&say).await?;
                return Ok(Opened { stream: stream.into_std()?, at, resume, rest: bytes });
            }
        }
    }

    async fn connect(&self, number: usize) -> anyhow::Result<TcpStream> {
        let Some(source) = self.source(number) else { return Ok(TcpStream::connect(self.address).await?) };
        let socket = TcpSocket::new_v4()?;
        socket.bind(source).context("no source address left")?;
        socket.connect(self.address).await.with_context(|| format!("cannot connect to {}", self.address))
    }

    /// From an address of 127.0.0.0/24 and those that follow it, each for some thousands of sessions: one address has only so
    /// many ports. Each run of the program begins at another one, since the kernel looks for a free port among those that
    /// still rest from the run before. Only where the server is on a loopback too.
    pub(super) fn source(&self, number: usize) -> Option<SocketAddr> {
        match self.address.ip() {
            IpAddr::V4(address) if address.is_loopback() => {
                let last = u8::try_from(2 + (*FIRST_ADDRESS + number / SESSIONS_PER_ADDRESS) % 250).unwrap_or(2);
                Some((Ipv4Addr::new(127, 0, 0, last), 0).into())
            }
            _ => None,
        }
    }
}
