//! A real Redis Cluster: three primaries, and as many replicas if asked for.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use redis::{Client, FromRedisValue, RedisResult};
use tempfile::TempDir;

use super::eventually;

pub(crate) struct Shards {
    children: Vec<Child>,
    ports: Vec<u16>,
    folder: TempDir,
}

impl Shards {
    /// Three primaries, each with so many replicas.
    pub(crate) async fn start(replicas: u16) -> Self {
        // In memory where there is such a place: servers that write their topology to disk hold each other up.
        let place = Path::new("/dev/shm");
        let folder = if place.is_dir() { tempfile::tempdir_in(place) } else { tempfile::tempdir() }.unwrap();
        // The bus listens 10,000 above.
        let ports: Vec<u16> = (0..3 * (1 + replicas)).map(|_| free_bus_port()).collect();
        let shards = Self { children: ports.iter().map(|port| spawn(&folder, *port)).collect(), ports, folder };
        for port in &shards.ports {
            eventually("a server of the cluster starts", async || try_ask::<String>(*port, &["PING"]).await).await;
        }
        let mut create: Vec<String> = vec!["create".into()];
        create.extend(shards.ports.iter().map(|port| format!("127.0.0.1:{port}")));
        create.extend(["--cluster-replicas".into(), replicas.to_string(), "--cluster-yes".into()]);
        cluster(&create);
        for port in &shards.ports {
            eventually("the cluster is up", async || {
                let info: String = ask(*port, &["CLUSTER", "INFO"]).await;
                if info.contains("cluster_state:ok") { Ok(()) } else { Err(info) }
            })
            .await;
        }
        // A replica that has never been in step is not promoted.
        eventually("the replicas are in step", async || {
            let mut in_step = 0;
            for port in &shards.ports {
                let info: String = ask(*port, &["INFO", "replication"]).await;
                in_step += u16::from(info.contains("master_link_status:up"));
            }
            if in_step == 3 * replicas { Ok(()) } else { Err(in_step) }
        })
        .await;
        shards
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+cluster://gateway:change-me-gateway@127.0.0.1:{},127.0.0.1:{}", self.ports[0], self.ports[1])
    }

    /// The port of the primary that serves a company, as the server at `asked` knows it.
    pub(crate) async fn primary(&self, asked: u16, company: &str) -> u16 {
        let slot = self.slot(company);
        type Range = (u16, u16, Vec<redis::Value>);
        let ranges: Vec<Vec<redis::Value>> = ask(asked, &["CLUSTER", "SLOTS"]).await;
        let primary = ranges.into_iter().find_map(|mut range| {
            range.truncate(3);
            let (first, last, primary): Range = redis::from_redis_value(redis::Value::Array(range)).unwrap();
            (first..=last).contains(&slot).then(|| redis::from_redis_value(primary[1].clone()).unwrap())
        });
        primary.expect("every slot is served")
    }

    fn slot(&self, company: &str) -> u16 {
        shared::slot(&format!("company:{company}"))
    }

    /// A company of each primary, and that primary.
    pub(crate) async fn one_company_each(&self) -> Vec<(u16, String)> {
        let mut found: Vec<(u16, String)> = vec![];
        for number in 0..100 {
            let company = format!("c{number}");
            let primary = self.primary(self.ports[0], &company).await;
            if found.iter().all(|(other, _)| *other != primary) {
                found.push((primary, company));
            }
        }
        assert_eq!(found.len(), 3);
        found
    }

    /// Moves a company's slot, as `redis-cli --cluster reshard` does.
    pub(crate) async fn move_company(&self, company: &str, from: u16, to: u16) {
        let (slot, from_id, to_id) = (self.slot(company).to_string(), self.id(from).await, self.id(to).await);
        ask::<()>(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).await;
        ask::<()>(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).await;
        let port = to.to_string();
        loop {
            let keys: Vec<String> = ask(from, &["CLUSTER", "GETKEYSINSLOT", &slot, "100"]).await;
            if keys.is_empty() {
                break;
            }
            let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
            migrate.extend(keys.iter().map(String::as_str));
            ask::<String>(from, &migrate).await;
        }
        for port in [to, from] {
            ask::<()>(port, &["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]).await;
        }
    }

    /// Waits until a primary's replica has all that it has.
    pub(crate) async fn replicated(&self, primary: u16) {
        eventually("the replica catches up", async || {
            let info: String = ask(primary, &["INFO", "replication"]).await;
            let offset = |before: &str| info.split_once(before).and_then(|(_, rest)| rest.split([',', '\r']).next());
            let (own, its) = (offset("master_repl_offset:"), offset(",offset="));
            if own.is_some() && own == its { Ok(()) } else { Err(format!("{own:?}, {its:?}")) }
        })
        .await;
    }

    /// Starts it again, with what it has on disk.
    pub(crate) fn revive(&mut self, port: u16) {
        let place = self.ports.iter().position(|other| *other == port).unwrap();
        self.children[place] = spawn(&self.folder, port);
    }

    /// Ends one, as `kill -9` does.
    pub(crate) fn kill(&mut self, port: u16) {
        let place = self.ports.iter().position(|other| *other == port).unwrap();
        self.children[place].kill().unwrap();
        self.children[place].wait().unwrap();
    }

    pub(crate) async fn id(&self, port: u16) -> String {
        ask(port, &["CLUSTER", "MYID"]).await
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

pub(crate) async fn ask<T: FromRedisValue>(port: u16, words: &[&str]) -> T {
    try_ask(port, words).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

async fn try_ask<T: FromRedisValue>(port: u16, words: &[&str]) -> RedisResult<T> {
    let client = Client::open(format!("redis://127.0.0.1:{port}/"))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut command = redis::Cmd::new();
    command.arg(words);
    command.query_async(&mut connection).await
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

fn spawn(folder: &TempDir, port: u16) -> Child {
    let dir = folder.path().join(port.to_string());
    std::fs::create_dir_all(&dir).unwrap();
    // The gateway has the rights of the documentation, the tests have all.
    let users = include_str!("../../../../docs/redis-cluster.acl");
    let users = users.replace("user default off", "user default on nopass ~* &* +@all");
    std::fs::write(dir.join("users.acl"), users).unwrap();
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "yes"])
        .args(["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--logfile", "redis.log"])
        .args(["--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"])
        .args(["--dir".as_ref(), dir.as_os_str()])
        .args(["--aclfile", "users.acl"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}
