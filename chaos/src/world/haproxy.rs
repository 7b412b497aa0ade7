//! The balancer before the gateways: a real HAProxy.

use std::{fmt::Write, net::SocketAddr, sync::Arc};

use tokio::net::TcpStream;

use super::{
    Folder, Gateway,
    child::{Child, Start},
    eventually, ports,
};
use crate::defaults::PATIENCE;

/// A HAProxy that runs.
pub(super) struct HaProxy {
    child: Child,
    port: u16,
}

impl HaProxy {
    pub(super) async fn start(folder: &Arc<Folder>, number: usize, gateways: &[Gateway]) -> anyhow::Result<Self> {
        let port = ports::free();
        let file = folder.path().join(format!("haproxy{number}.cfg"));
        std::fs::write(&file, configuration(port, gateways))?;
        let child = Start::of(&format!("haproxy{number}"), "haproxy")
            .args(["-db".as_ref(), "-f".as_ref(), file.as_os_str()])
            .log_to(folder.append(&format!("haproxy{number}.log"))?)?;
        let mut proxy = Self { child, port };
        eventually("HAProxy listens", PATIENCE, async || {
            anyhow::ensure!(!proxy.child.has_ended(), "it ended, see haproxy.log");
            Ok(TcpStream::connect(proxy.address()).await.map(drop)?)
        })
        .await?;
        Ok(proxy)
    }

    pub(super) fn address(&self) -> SocketAddr {
        ports::local(self.port)
    }
}

/// Long timeouts, so that whoever finds a dead connection is never HAProxy; small buffers, so that a slow reader is
/// slow for the gateway too; no waiting for more (without `http-no-delay` an event stream is 200 ms late). Only `/readyz`
/// decides who gets traffic.
fn configuration(port: u16, gateways: &[Gateway]) -> String {
    // Each takes two descriptors, and HAProxy refuses to start where it could not have them.
    let connections = rlimit::Resource::NOFILE.get_soft().unwrap_or(1024).min(40_000).saturating_sub(200) / 2;
    let mut text = format!(
        "global
  maxconn {connections}
  nbthread 1
  tune.rcvbuf.server 65536
  tune.sndbuf.client 65536
defaults
  mode http
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  timeout http-request 10s
  timeout check 1s
  retries 3
  option redispatch 1
  option http-no-delay
frontend public
  bind 127.0.0.1:{port}
  default_backend gateways
backend gateways
  balance leastconn
  http-reuse never
  option httpchk GET /readyz
  default-server check inter 250ms fastinter 100ms fall 2 rise 1
"
    );
    for (number, gateway) in gateways.iter().enumerate() {
        let _infallible =
            writeln!(text, "  server g{number} {} check port {}", gateway.public(), gateway.admin().port());
    }
    text
}
