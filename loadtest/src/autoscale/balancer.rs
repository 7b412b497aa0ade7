//! The balancers before the replicas: real HAProxys, each with a place for every replica that there may be.

use std::{
    fmt::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};

use super::cluster::Slot;
use crate::measure::children::{Guard, free_address, spawn, until};

/// A HAProxy that runs.
pub(super) struct Balancer {
    _child: Guard,
    socket: PathBuf,
    /// Where clients go.
    pub(super) address: SocketAddr,
}

impl Balancer {
    /// Starts one.
    pub(super) async fn start(program: PathBuf, folder: &Path, name: &str, slots: &[Slot]) -> anyhow::Result<Self> {
        let (address, socket) = (free_address()?, folder.join(format!("{name}.socket")));
        let file = folder.join(format!("{name}.cfg"));
        std::fs::write(&file, configuration(address, &socket.display().to_string(), slots))?;
        let mut command = Command::new(&program);
        command.arg("-q").arg("-db").arg("-f").arg(&file);
        let mut child = spawn(command, &program)?;
        until(&mut child, async || TcpStream::connect(address).await.is_ok()).await?;
        Ok(Self { _child: child, socket, address })
    }

    /// Whether new clients may be sent to a place; those who are there stay.
    pub(super) async fn open(&self, slot: usize, open: bool) -> anyhow::Result<()> {
        let state = if open { "ready" } else { "drain" };
        let mut stream = UnixStream::connect(&self.socket).await?;
        stream.write_all(format!("set server gateways/g{slot} state {state}\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::ensure!(answer.trim().is_empty(), "haproxy: {}", answer.trim());
        Ok(())
    }
}

/// Long timeouts: whoever finds a dead connection is never HAProxy. `/readyz` decides who gets traffic, as in a cluster.
fn configuration(address: SocketAddr, socket: &str, slots: &[Slot]) -> String {
    // Each takes two descriptors, and HAProxy refuses to start where it could not have them.
    let connections = rlimit::Resource::NOFILE.get_soft().unwrap_or(1024).min(40_000).saturating_sub(200) / 2;
    let mut text = format!(
        "global
  maxconn {connections}
  nbthread 1
  stats socket {socket} mode 600 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  timeout http-request 10s
  timeout check 2s
  retries 3
  option redispatch 1
  option http-no-delay
frontend public
  bind {address}
  default_backend gateways
backend gateways
  balance leastconn
  http-reuse never
  option httpchk GET /readyz
  default-server check inter 250ms fastinter 100ms fall 2 rise 1
"
    );
    for (number, slot) in slots.iter().enumerate() {
        let _infallible = writeln!(text, "  server g{number} {} check port {}", slot.public, slot.admin.port());
    }
    text
}
