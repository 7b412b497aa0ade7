//! One session of a rush on its way in: a socket that connects, a request that is written, an answer.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::Duration,
};

use anyhow::Context;
use mio::net::TcpStream;
use socket2::{Domain, SockRef, Socket, Type};

use super::{
    Plan,
    opening::{Opening, Progress},
};
use crate::{
    clock::now_us,
    defaults::{FIRST_PORT, SESSIONS_PER_ADDRESS},
    system::{Dialect, Ticket},
};

/// A session on its way in.
pub(super) struct Coming {
    /// Its socket.
    pub(super) stream: TcpStream,
    opening: Opening,
    /// What came and was not used yet.
    pub(super) carry: Vec<u8>,
    /// When it began to connect.
    pub(super) began_us: u64,
    /// Whether the request is written.
    pub(super) asked: bool,
}

impl Coming {
    /// Begins. Over a loopback the connection mostly stands at once, and the request goes with it.
    pub(super) fn begin(plan: &Plan, number: usize, request: &[u8]) -> std::io::Result<Self> {
        let began_us = now_us();
        let mut stream = connect(plan, number)?;
        let asked = stream.write(request).is_ok_and(|written| written == request.len());
        Ok(Self { stream, opening: Opening::default(), carry: Vec::new(), began_us, asked })
    }

    /// Takes a step when the socket is ready.
    pub(super) fn advance(
        &mut self,
        request: &[u8],
        dialect: &dyn Dialect,
        ticket: &Ticket,
        buffer: &mut [u8],
    ) -> anyhow::Result<Progress> {
        if !self.asked {
            match self.stream.write(request) {
                Ok(written) => anyhow::ensure!(written == request.len(), "half a request"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Progress::Wait),
                Err(error) => return Err(error).context("cannot connect"),
            }
            self.asked = true;
        }
        // One read has it all: what comes later wakes us again.
        match self.stream.read(buffer) {
            Ok(0) => anyhow::bail!("the connection ended"),
            Ok(read) => self.carry.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Progress::Wait),
            Err(error) => return Err(error).context("read"),
        }
        let mut say = Vec::new();
        let progress = self.opening.advance(dialect, ticket, &mut self.carry, &mut say)?;
        if !say.is_empty() {
            // Some hundred bytes into an empty socket.
            self.stream.write_all(&say)?;
        }
        Ok(progress)
    }
}

/// Begins to connect, from the address of this number. No rest for the port afterwards: there are not enough of them.
fn connect(plan: &Plan, number: usize) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(plan.address), Type::STREAM.nonblocking(), None)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(mut source) = plan.source(number) {
        // Named, since the kernel takes 200 µs to look for a free port among thousands that are taken.
        source.set_port(FIRST_PORT + u16::try_from(number % SESSIONS_PER_ADDRESS).unwrap_or_default());
        let named = socket.bind(&source.into());
        if named.is_err() {
            source.set_port(0);
            socket.bind(&source.into())?;
        }
    }
    match socket.connect(&SocketAddr::into(plan.address)) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => return Err(error),
        _ => {}
    }
    SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
    Ok(TcpStream::from_std(socket.into()))
}
