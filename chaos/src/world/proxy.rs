//! A TCP proxy that makes a network misbehave.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
    time::timeout,
};

use super::{
    ports,
    pump::{End, pump},
};
use crate::defaults::PATIENCE;

/// What is wrong with the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toxic {
    /// Nothing.
    Pass,
    /// Every piece arrives so much later.
    Delay(Duration),
    /// So many bytes a second in each direction.
    Throttle(usize),
    /// Connections stay up, new ones are accepted, and nothing arrives.
    BlackHole,
    /// What clients send arrives, what the server answers does not.
    NoAnswers,
    /// Connections are reset, new ones too.
    Reset,
    /// A connection is reset after so many more bytes from the server.
    CutAfter(usize),
    /// Bytes arrive one by one.
    Slices,
}

/// A proxy to one server. Ends when it is dropped, and its connections with it.
pub(crate) struct Proxy {
    port: u16,
    toxic: watch::Sender<Toxic>,
    acceptor: AbortHandle,
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let port = ports::free();
        let listener = TcpListener::bind(ports::local(port)).await?;
        let toxic = watch::Sender::new(Toxic::Pass);
        let acceptor = tokio::spawn(accept(listener, server, toxic.subscribe())).abort_handle();
        Ok(Self { port, toxic, acceptor })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ports::local(self.port)
    }

    /// Changes the weather, for connections that are open too.
    pub(crate) fn set(&self, toxic: Toxic) {
        self.toxic.send_replace(toxic);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, toxic: watch::Receiver<Toxic>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(connection(client, server, toxic.clone()));
    }
}

/// One connection, in both directions, until either ends.
async fn connection(client: TcpStream, server: SocketAddr, mut toxic: watch::Receiver<Toxic>) {
    // A black hole swallows the first packet too.
    if toxic.wait_for(|toxic| *toxic != Toxic::BlackHole).await.is_err() {
        return;
    }
    let Ok(Ok(server)) = timeout(PATIENCE, TcpStream::connect(server)).await else { return reset(&client) };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (up, down) = (toxic.clone(), toxic);
    let end = tokio::select! {
        end = pump(&client, &server, up, false) => end,
        end = pump(&server, &client, down, true) => end,
    };
    if end == End::Reset {
        reset(&client);
        reset(&server);
    }
}

fn reset(stream: &TcpStream) {
    // One that is gone already needs no reset.
    let _ = stream.set_zero_linger();
}
