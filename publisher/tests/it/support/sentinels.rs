//! A master, its replica, and the sentinels who watch them.

use std::{
    fmt::Write as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use redis::{Client, RedisResult};
use tempfile::TempDir;

use super::{RedisServer, free_port, run};

/// The name of the master.
pub(crate) const NAME: &str = "events";

/// One `redis-server --sentinel`, ended on drop.
pub(crate) struct Sentinel {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Sentinel {
    /// Starts one that watches a server, with more configuration for it.
    pub(crate) async fn start(server: u16, quorum: usize, more: &str) -> Self {
        loop {
            let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
            let path = dir.path().join("sentinel.conf");
            let mut config = format!("bind 127.0.0.1\nport {port}\nlogfile \"\"\n{more}\n");
            writeln!(config, "sentinel monitor {NAME} 127.0.0.1 {server} {quorum}").unwrap();
            writeln!(config, "sentinel down-after-milliseconds {NAME} 500").unwrap();
            writeln!(config, "sentinel failover-timeout {NAME} 2000").unwrap();
            std::fs::write(&path, config).unwrap();
            let mut command = Command::new("redis-server");
            let child = command.arg(&path).arg("--sentinel").stdout(Stdio::null()).spawn().unwrap();
            let mut sentinel = Self { child, port, _dir: dir };
            // Otherwise somebody else took the port in between.
            if sentinel.ready().await {
                return sentinel;
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until it listens; `false` when it has ended instead.
    async fn ready(&mut self) -> bool {
        while self.child.try_wait().unwrap().is_none() {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    /// What it knows of the master.
    async fn state(&self) -> RedisResult<std::collections::HashMap<String, String>> {
        self.ask("MASTER").await
    }

    async fn ask<T: redis::FromRedisValue>(&self, what: &str) -> RedisResult<T> {
        let client = Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("SENTINEL").arg(what).arg(NAME).query_async(&mut connection).await
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A master, a replica and three sentinels that know each other.
pub(crate) struct Cluster {
    pub(crate) master: RedisServer,
    pub(crate) replica: RedisServer,
    sentinels: Vec<Sentinel>,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let (master, replica) = (RedisServer::start().await, RedisServer::start().await);
        let (mut first, mut second) = (master.connect().await, replica.connect().await);
        for server in [&mut first, &mut second] {
            run(server, "CONFIG SET repl-diskless-sync-delay 0").await;
        }
        run(&mut second, &format!("REPLICAOF 127.0.0.1 {}", master.port())).await;
        eventually("the replica follows", async || {
            super::info(&mut second, "replication").await.contains("master_link_status:up")
        })
        .await;
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            sentinels.push(Sentinel::start(master.port(), 2, "").await);
        }
        let cluster = Self { master, replica, sentinels };
        eventually("the sentinels know each other", async || {
            for sentinel in &cluster.sentinels {
                let state = sentinel.state().await.unwrap();
                if state["num-slaves"] != "1" || state["num-other-sentinels"] != "2" {
                    return false;
                }
            }
            true
        })
        .await;
        cluster
    }

    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
        format!("redis+sentinel://{}/{NAME}", hosts.join(","))
    }

    /// Tells a sentinel to make the replica the master.
    pub(crate) async fn fail_over(&self) {
        // Until it has seen the replica's state it refuses.
        eventually("a sentinel agrees to fail over", async || self.sentinels[0].ask::<()>("FAILOVER").await.is_ok())
            .await;
    }

    /// Waits until every sentinel names the replica.
    pub(crate) async fn failed_over(&self) {
        eventually("the replica is the master", async || {
            for sentinel in &self.sentinels {
                if sentinel.state().await.unwrap()["port"] != self.replica.port().to_string() {
                    return false;
                }
            }
            true
        })
        .await;
    }

    /// Waits until the replica has everything.
    pub(crate) async fn in_step(&self) {
        let (mut master, mut replica) = (self.master.connect().await, self.replica.connect().await);
        eventually("the replica is in step", async || {
            let offset = super::replication_offset(&mut master).await;
            super::replication_offset(&mut replica).await == offset
        })
        .await;
    }
}

/// Polls until it is so.
pub(crate) async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < Duration::from_secs(15), "not within 15 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
