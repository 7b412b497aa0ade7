//! A `redis-server` child on a port of its own, ended on drop.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};
use tempfile::TempDir;

pub(crate) struct RedisServer {
    child: Child,
    port: u16,
    dir: TempDir,
}

impl RedisServer {
    /// Starts one that keeps its data over a restart.
    pub(crate) async fn start() -> Self {
        loop {
            let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
            let mut server = Self { child: spawn(port, &dir, "yes"), port, dir };
            // Otherwise somebody else took the port in between.
            if server.ready().await {
                return server;
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// An operator's connection, as patient as an operator.
    pub(crate) async fn connect(&self) -> MultiplexedConnection {
        self.try_connect().await.unwrap()
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Starts it again, on the same port with the same data; it is not ready yet.
    pub(crate) fn revive(&mut self) {
        self.child = spawn(self.port, &self.dir, "yes");
    }

    /// Starts it again with what its last snapshot holds.
    pub(crate) fn revive_from_snapshot(&mut self) {
        self.child = spawn(self.port, &self.dir, "no");
    }

    /// Waits until it answers PING; `false` when it has ended instead.
    pub(crate) async fn ready(&mut self) -> bool {
        while self.child.try_wait().unwrap().is_none() {
            if let Ok(mut redis) = self.try_connect().await
                && redis::cmd("PING").query_async::<String>(&mut redis).await.is_ok()
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    async fn try_connect(&self) -> redis::RedisResult<MultiplexedConnection> {
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(20)));
        Client::open(self.url())?.get_multiplexed_async_connection_with_config(&patient).await
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, dir: &TempDir, append_only: &str) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .args(["--appendonly", append_only, "--appendfsync", "always", "--loglevel", "warning"])
        .arg("--dir")
        .arg(dir.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is installed")
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
