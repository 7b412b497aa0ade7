//! One gateway process, always on the same ports.

use std::{net::SocketAddr, path::PathBuf, process::ExitStatus, sync::Arc, time::Duration};

use anyhow::Context;
use rustix::process::Signal;

use super::{
    Folder, Metrics,
    admin::{Admin, expect_ready},
    child::{Child, Start},
    eventually, ports,
};
use crate::{
    defaults::{DRAIN_SECS, HEARTBEAT_SECS, PATIENCE},
    token::SECRET,
};

/// Which program runs as a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// The executable.
    pub(crate) path: PathBuf,
    /// What `faketime` shifts its clock by, such as `+10m`.
    pub(crate) clock: Option<&'static str>,
}

/// The pace of a gateway's sessions.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Seconds between heartbeats.
    pub(crate) heartbeat_secs: u32,
    /// Seconds of a drain.
    pub(crate) drain_secs: u32,
    /// What it is told about rebalancing.
    pub(crate) rebalance: String,
}

impl Pace {
    /// For faults: what is dead is found soon, and nobody but the fault moves sessions.
    pub(crate) fn quick() -> Self {
        Self { heartbeat_secs: HEARTBEAT_SECS, drain_secs: DRAIN_SECS, rebalance: "off".to_owned() }
    }
}

/// The library that shows a program another clock, where Debian puts it.
pub(crate) fn faketime() -> Option<PathBuf> {
    let mut folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders.find_map(|folder| Some(folder.path().join("faketime/libfaketimeMT.so.1")).filter(|file| file.exists()))
}

/// Copies all logs from one Redis to another.
pub(crate) async fn carry(folder: &Folder, program: &Program, from: &str, to: &str) -> anyhow::Result<()> {
    let start = Start::of("gateway carry", &program.path).args(["carry"]);
    let log = folder.append("carry.log")?;
    let mut child = start.env("GATEWAY_CARRY_FROM", from).env("GATEWAY_REDIS_URL", to).log_to(log)?;
    let status = child.exit(PATIENCE).await?;
    anyhow::ensure!(status.success(), "gateway carry failed, see carry.log");
    Ok(())
}

/// A gateway, running or not.
pub(crate) struct Gateway {
    name: String,
    folder: Arc<Folder>,
    child: Option<Child>,
    public: u16,
    admin: u16,
    client: Admin,
    /// Where it looks for Redis.
    redis_url: String,
    pace: Pace,
}

impl Gateway {
    /// A gateway that does not run yet.
    pub(super) fn new(folder: &Arc<Folder>, name: &str, redis_url: String, pace: Pace) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            folder: folder.clone(),
            child: None,
            public: ports::free(),
            admin: ports::free(),
            client: Admin::new()?,
            redis_url,
            pace,
        })
    }

    /// Starts it and waits until it is ready.
    pub(crate) async fn launch(&mut self, program: &Program) -> anyhow::Result<()> {
        anyhow::ensure!(self.child.is_none(), "{} runs already", self.name);
        let start = Start::of(&self.name, &program.path);
        let start = match program.clock {
            None => start,
            // Its library alone: the program `faketime` forks, and a child of a child would outlive its end. Timers go on as
            // they should: the wall clock alone is wrong.
            Some(clock) => start
                .env("LD_PRELOAD", &faketime().context("no faketime")?.to_string_lossy())
                .env("FAKETIME", clock)
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .env("DONT_FAKE_MONOTONIC", "1"),
        };
        let child = start
            .env("GATEWAY_LISTEN", &self.public().to_string())
            .env("GATEWAY_ADMIN_LISTEN", &self.admin().to_string())
            .env("GATEWAY_REDIS_URL", &self.redis_url)
            .env("GATEWAY_JWT_SECRET", SECRET)
            .env("GATEWAY_WORKERS", "2")
            .env("GATEWAY_HEARTBEAT_SECS", &self.pace.heartbeat_secs.to_string())
            .env("GATEWAY_DRAIN_SECS", &self.pace.drain_secs.to_string())
            .env("GATEWAY_REBALANCE", &self.pace.rebalance)
            .env("GATEWAY_LOG", "info,gateway::dispatcher=debug")
            .env("GATEWAY_LOG_FORMAT", "json")
            .log_to(self.folder.append(&format!("{}.log", self.name))?)?;
        self.child = Some(child);
        let (client, address) = (self.client.clone(), self.admin());
        eventually(&format!("{} is ready", self.name), PATIENCE, async || {
            let ended = self.child.as_mut().is_none_or(Child::has_ended);
            anyhow::ensure!(!ended, "it ended, see its log");
            expect_ready(&client, address).await
        })
        .await
    }

    pub(crate) fn public(&self) -> SocketAddr {
        ports::local(self.public)
    }

    pub(super) fn admin(&self) -> SocketAddr {
        ports::local(self.admin)
    }

    /// Where it looks for Redis from its next start on.
    pub(crate) fn go_to(&mut self, redis_url: &str) {
        redis_url.clone_into(&mut self.redis_url);
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Ends it without warning.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.take().context("it does not run")?.kill().await
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Waits for the end that it was asked for.
    pub(crate) async fn exit(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let status = self.child.as_mut().context("it does not run")?.exit(patience).await?;
        self.child = None;
        Ok(status)
    }

    /// Stops it in its tracks.
    pub(crate) fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub(crate) fn unpause(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.child.as_ref().context("it does not run")?.signal(signal)
    }

    pub(crate) async fn metrics(&self) -> anyhow::Result<Metrics> {
        self.client.metrics(self.admin()).await.with_context(|| self.name.clone())
    }
}
