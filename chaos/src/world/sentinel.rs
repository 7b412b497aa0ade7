//! A master, its replica and three sentinels that watch over them.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;

use super::{
    Folder, Redis,
    child::{Child, Start},
    command, eventually, ports,
};
use crate::defaults::{PATIENCE, SENTINEL_MASTER};

/// Three sentinels.
pub(crate) struct Sentinels {
    ports: Vec<u16>,
    _children: Vec<Child>,
}

impl Sentinels {
    /// Starts a replica of `master` and sentinels over both; ready when they agree.
    pub(crate) async fn start(folder: &Arc<Folder>, master: &Redis) -> anyhow::Result<(Self, Redis)> {
        let port = master.address().port().to_string();
        let replica = Redis::start(folder, "replica", &["--replicaof", "127.0.0.1", &port]).await?;
        let mut sentinels = Self { ports: vec![], _children: vec![] };
        for number in 0..3 {
            let port = ports::free();
            let name = format!("sentinel{number}-{port}");
            let file = folder.room(&name)?.join("sentinel.conf");
            std::fs::write(&file, configuration(port, master.address()))?;
            let child = Start::of(&name, "redis-server")
                .args([file.as_os_str(), "--sentinel".as_ref()])
                .log_to(folder.append(&format!("{name}.log"))?)?;
            sentinels.ports.push(port);
            sentinels._children.push(child);
        }
        eventually("the sentinels agree", PATIENCE * 2, async || sentinels.agree().await).await?;
        Ok((sentinels, replica))
    }

    /// Whether all of them know each other, and know the same of master and replica. A failover that is asked for while
    /// one of them still mends the last one ends with two masters.
    pub(crate) async fn agree(&self) -> anyhow::Result<SocketAddr> {
        let mut masters = Vec::new();
        for port in &self.ports {
            let asked = ports::local(*port);
            let master = Facts::of(command(asked, &["SENTINEL", "MASTER", SENTINEL_MASTER]).await?);
            master.expect(&[("num-other-sentinels", "2"), ("num-slaves", "1"), ("flags", "master")])?;
            master.expect(&[("role-reported", "master")])?;
            let replicas: Vec<Vec<String>> = command(asked, &["SENTINEL", "REPLICAS", SENTINEL_MASTER]).await?;
            let replica = Facts::of(replicas.into_iter().next().context("no replica")?);
            replica.expect(&[("flags", "slave"), ("role-reported", "slave"), ("master-link-status", "ok")])?;
            replica.expect(&[("master-port", master.get("port"))])?;
            masters.push(format!("{}:{}", master.get("ip"), master.get("port")));
        }
        anyhow::ensure!(masters.windows(2).all(|pair| pair[0] == pair[1]), "they name {masters:?}");
        masters[0].parse().context("the master's address")
    }

    /// `redis+sentinel://host:port,host:port,host:port/name`.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<String> = self.ports.iter().map(|port| ports::local(*port).to_string()).collect();
        format!("redis+sentinel://{}/{SENTINEL_MASTER}", hosts.join(","))
    }

    /// Who is the master now, as the first sentinel knows it.
    pub(crate) async fn master(&self) -> anyhow::Result<SocketAddr> {
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SENTINEL_MASTER];
        let (host, port): (String, u16) = command(ports::local(self.ports[0]), &words).await?;
        Ok(SocketAddr::new(host.parse().context("the master's address")?, port))
    }

    /// Asks for a failover and waits until another one is master.
    pub(crate) async fn fail_over(&self) -> anyhow::Result<SocketAddr> {
        let before = self.master().await?;
        let words = ["SENTINEL", "FAILOVER", SENTINEL_MASTER];
        eventually("the sentinel begins", PATIENCE, async || {
            command::<String>(ports::local(self.ports[0]), &words).await
        })
        .await?;
        eventually("another master", PATIENCE, async || {
            let now = self.master().await?;
            anyhow::ensure!(now != before, "still {now}");
            let role: redis::Value = command(now, &["ROLE"]).await?;
            anyhow::ensure!(format!("{role:?}").contains("master"), "{now} is no master yet");
            Ok(now)
        })
        .await
    }
}

/// What a sentinel says of a server.
struct Facts(Vec<String>);

impl Facts {
    fn of(said: Vec<String>) -> Self {
        Self(said)
    }

    fn get(&self, name: &str) -> &str {
        self.0.chunks(2).find(|pair| pair[0] == name).and_then(|pair| pair.get(1)).map_or("", String::as_str)
    }

    fn expect(&self, expected: &[(&str, &str)]) -> anyhow::Result<()> {
        for (name, value) in expected {
            anyhow::ensure!(self.get(name) == *value, "{name} is {}, not {value}", self.get(name));
        }
        Ok(())
    }
}

fn configuration(port: u16, master: SocketAddr) -> String {
    format!(
        "bind 127.0.0.1\nport {port}\n\
         sentinel monitor {SENTINEL_MASTER} {} {} 2\n\
         sentinel down-after-milliseconds {SENTINEL_MASTER} 1500\n\
         sentinel failover-timeout {SENTINEL_MASTER} 5000\n",
        master.ip(),
        master.port()
    )
}
