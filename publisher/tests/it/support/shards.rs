//! A real Redis Cluster: three primaries, and as many replicas if asked for.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use redis::{Client, FromRedisValue};
use tempfile::TempDir;

pub(crate) struct Shards {
    children: Vec<Child>,
    ports: Vec<u16>,
    _folder: TempDir,
}

impl Shards {
    /// Three primaries, each with so many replicas.
    pub(crate) async fn start(replicas: u16) -> Self {
        // In memory where there is such a place: servers that write their topology to disk hold each other up.
        let place = Path::new("/dev/shm");
        let folder = if place.is_dir() { tempfile::tempdir_in(place) } else { tempfile::tempdir() }.unwrap();
        // The bus listens 10,000 above.
        let ports: Vec<u16> = (0..3 * (1 + replicas)).map(|_| free_bus_port()).collect();
        let spawn = |port: &u16| {
            let dir = folder.path().join(port.to_string());
            std::fs::create_dir(&dir).unwrap();
            let port = port.to_string();
            Command::new("redis-server")
                .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "yes"])
                .args(["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--logfile", "redis.log"])
                .args(["--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"])
                .args(["--dir".as_ref(), dir.as_os_str()])
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        let shards = Self { children: ports.iter().map(spawn).collect(), ports, _folder: folder };
        for port in &shards.ports {
            until("a server of the cluster starts", async || ask::<String>(*port, &["PING"]).await.is_some()).await;
        }
        let mut create: Vec<String> = vec!["create".into()];
        create.extend(shards.ports.iter().map(|port| format!("127.0.0.1:{port}")));
        create.extend(["--cluster-replicas".into(), replicas.to_string(), "--cluster-yes".into()]);
        cluster(&create);
        for port in &shards.ports {
            until("the cluster is up", async || {
                let info: Option<String> = ask(*port, &["CLUSTER", "INFO"]).await;
                info.is_some_and(|info| info.contains("cluster_state:ok"))
            })
            .await;
        }
        // A replica that has never been in step is not promoted.
        until("the replicas are in step", async || {
            let mut in_step = 0;
            for port in &shards.ports {
                let info: Option<String> = ask(*port, &["INFO", "replication"]).await;
                in_step += u16::from(info.is_some_and(|info| info.contains("master_link_status:up")));
            }
            in_step == 3 * replicas
        })
        .await;
        shards
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", self.ports[0], self.ports[1])
    }

    /// The port of the primary that serves a slot, as the server at `asked` knows it.
    pub(crate) async fn primary(&self, asked: u16, slot: u16) -> Option<u16> {
        type Range = (u16, u16, (String, u16, String, redis::Value));
        let ranges: Vec<Vec<redis::Value>> = ask(asked, &["CLUSTER", "SLOTS"]).await?;
        ranges.into_iter().find_map(|range| {
            let mut range = range;
            range.truncate(3);
            let (first, last, (_, port, _, _)): Range = redis::from_redis_value(redis::Value::Array(range)).ok()?;
            (first..=last).contains(&slot).then_some(port)
        })
    }

    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Ends one, as `kill -9` does.
    pub(crate) fn kill(&mut self, port: u16) {
        let place = self.ports.iter().position(|other| *other == port).unwrap();
        self.children[place].kill().unwrap();
        self.children[place].wait().unwrap();
    }

    pub(crate) async fn id(&self, port: u16) -> String {
        ask(port, &["CLUSTER", "MYID"]).await.unwrap()
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) async fn ask<T: FromRedisValue>(port: u16, words: &[&str]) -> Option<T> {
    let client = Client::open(format!("redis://127.0.0.1:{port}/")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.ok()?;
    let mut command = redis::Cmd::new();
    command.arg(words);
    command.query_async(&mut connection).await.ok()
}

fn cluster(words: &[String]) {
    let done = Command::new("redis-cli").arg("--cluster").args(words).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

/// Two ports that are free, this and 10,000 above. Below those that the system hands to clients: one of a thousand
/// connections of other tests would soon be on what was found free.
fn free_bus_port() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let port = rand::random_range(11_000..22_000);
        if is_free(port) && is_free(port + 10_000) {
            return port;
        }
    }
}

pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within 30 s");
}
