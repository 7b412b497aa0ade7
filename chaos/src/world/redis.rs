//! A `redis-server` that can be killed, paused, wiped and started again.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisResult};
use rustix::process::Signal;
use tokio::time::timeout;

use super::{
    Folder,
    child::{Child, Start},
    eventually, ports,
};
use crate::defaults::{ADMIN_TIMEOUT, PATIENCE};

/// One Redis on its own port and in its own folder.
pub(crate) struct Redis {
    name: String,
    folder: Arc<Folder>,
    port: u16,
    child: Option<Child>,
    paused: AtomicBool,
    options: Vec<String>,
}

impl Redis {
    /// Starts one that has on disk whatever it has answered.
    pub(crate) async fn start(folder: &Arc<Folder>, name: &str, options: &[&str]) -> anyhow::Result<Self> {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        // A run may start several worlds, and none finds the data of another.
        let port = ports::free();
        let name = format!("{name}-{port}");
        let mut redis =
            Self { name, folder: folder.clone(), port, child: None, paused: AtomicBool::new(false), options };
        redis.launch(&[]).await?;
        Ok(redis)
    }

    /// Starts it, or starts it again on the same port and with the same folder; ready means that it answers, be it with
    /// LOADING.
    pub(crate) async fn launch(&mut self, extra: &[&str]) -> anyhow::Result<()> {
        anyhow::ensure!(self.child.is_none(), "{} runs already", self.name);
        let port = self.port.to_string();
        let folder = self.folder.room(&self.name)?;
        let child = Start::of(&self.name, "redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--enable-debug-command", "local", "--enable-protected-configs", "local"])
            .args(["--repl-diskless-sync-delay", "0"])
            .args(["--dir".as_ref(), folder.as_os_str()])
            .args(&self.options)
            .args(extra)
            .log_to(self.folder.append(&format!("{}.log", self.name))?)?;
        self.child = Some(child);
        eventually(&format!("the start of {}", self.name), PATIENCE, async || {
            match self.run::<String>(&["PING"]).await {
                Err(error) if !format!("{error:#}").to_lowercase().contains("loading") => Err(error),
                _ => Ok(()),
            }
        })
        .await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ports::local(self.port)
    }

    /// Ends it without warning.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.take().context("it does not run")?.kill().await
    }

    /// Removes what is on disk; it must not run.
    pub(crate) fn forget(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.child.is_none(), "{} runs", self.name);
        std::fs::remove_dir_all(self.folder.room(&self.name)?)?;
        Ok(())
    }

    /// Puts a folder where its snapshots would go.
    pub(crate) fn block_snapshots(&self, name: &str) -> anyhow::Result<()> {
        Ok(std::fs::create_dir_all(self.folder.room(&self.name)?.join(name))?)
    }

    /// Stops it in its tracks: connections stay open and nothing answers.
    pub(crate) fn pause(&self) -> anyhow::Result<()> {
        self.paused.store(true, Ordering::Relaxed);
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub(crate) fn unpause(&self) -> anyhow::Result<()> {
        self.paused.store(false, Ordering::Relaxed);
        self.signal(Signal::CONT)
    }

    /// It runs and is not paused.
    pub(crate) fn is_awake(&self) -> bool {
        self.child.is_some() && !self.paused.load(Ordering::Relaxed)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.child.as_ref().context("it does not run")?.signal(signal)
    }

    /// Runs one command over a connection of its own.
    pub(crate) async fn command<T: FromRedisValue>(&self, words: &[&str]) -> anyhow::Result<T> {
        command(self.address(), words).await
    }

    async fn run<T: FromRedisValue>(&self, words: &[&str]) -> anyhow::Result<T> {
        command(self.address(), words).await
    }

    /// Waits until it is done with loading its data.
    pub(crate) async fn loaded(&self, patience: Duration) -> anyhow::Result<()> {
        eventually("Redis has loaded its data", patience, async || self.run::<String>(&["PING"]).await).await?;
        Ok(())
    }
}

/// Runs one command on the Redis, or the sentinel, at `address`.
pub(crate) async fn command<T: FromRedisValue>(address: SocketAddr, words: &[&str]) -> anyhow::Result<T> {
    let work = async {
        let client = Client::open(format!("redis://{address}/"))?;
        // The driver's own patience ends after half a second.
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(ADMIN_TIMEOUT));
        let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await?;
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        RedisResult::<T>::from(command.query_async(&mut connection).await)
    };
    match timeout(ADMIN_TIMEOUT, work).await {
        Ok(answer) => answer.with_context(|| words.join(" ").chars().take(100).collect::<String>()),
        Err(_) => bail!("{}: no answer within {} s", words[0], ADMIN_TIMEOUT.as_secs()),
    }
}
