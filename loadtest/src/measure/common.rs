//! What every measuring command is told: where the gateway is and how tokens are signed.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use reqwest::Url;
use secrecy::SecretString;
use shared::{CompanyId, UserId};

use super::{
    mint::Mint,
    output::Output,
    pace::Pacer,
    process::{Cpu, pss_of_all},
};
use crate::{
    client::{Fleet, Plan},
    clock::now_us,
    system::{Subject, Ticket, ToGateway, gateway::Ours},
    target::{Target, TargetArgs},
};

/// Where the gateway is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// The gateway's WebSocket
    #[arg(long, env = "LOADTEST_URL", default_value = "ws://127.0.0.1:8080/v1/ws")]
    pub(crate) url: Url,
    /// The gateway's HS256 secret: every session gets a token and a user of its own
    #[arg(long, value_name = "SECRET", env = "GATEWAY_JWT_SECRET", hide_env_values = true)]
    pub(crate) jwt_secret: SecretString,
    /// The `iss` that the gateway asks for
    #[arg(long, value_name = "ISS", env = "GATEWAY_JWT_ISSUER")]
    pub(crate) jwt_issuer: Option<String>,
    /// The `aud` that the gateway asks for
    #[arg(long, value_name = "AUD", env = "GATEWAY_JWT_AUDIENCE")]
    pub(crate) jwt_audience: Option<String>,
    /// The gateway's admin listener, for its own counts
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9090/metrics")]
    pub(crate) admin: Url,
    /// Threads that read the sessions
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) readers: usize,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Begin at this moment, in seconds since 1970, so that several generators begin together
    #[arg(long, value_name = "SECONDS")]
    pub(crate) start_at: Option<u64>,
}

impl Common {
    /// The gateway that is named here.
    pub(crate) fn subject(&self, pid: Option<u32>, target: Option<&TargetArgs>) -> anyhow::Result<Subject> {
        anyhow::ensure!(self.url.scheme() == "ws", "--url speaks ws:// only");
        let host = self.url.host_str().context("--url names no host")?;
        let port = self.url.port_or_known_default().unwrap_or(80);
        let address: SocketAddr =
            (host.trim_matches(['[', ']']), port).to_socket_addrs().context("--url")?.next().context("--url")?;
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mint = Mint::new(&self.jwt_secret, self.jwt_issuer.clone(), self.jwt_audience.clone());
        let outlet = match target {
            Some(target) => Some(Box::new(ToGateway::new(Target::open(target, || mint.publishing())?)?) as _),
            None => None,
        };
        Ok(Subject {
            address,
            host: format!("{host}:{port}"),
            pids: pid.into_iter().collect(),
            dialect: Arc::new(Ours(format!("{}{query}", self.url.path()))),
            mint,
            outlet,
            admin: Some(self.admin.clone()),
            generator: self.output.name.clone(),
            start_at: self.start_at,
            readers: self.readers,
            children: Vec::new(),
        })
    }
}

impl Subject {
    /// Where sessions connect to.
    pub(crate) fn plan(&self) -> Plan {
        Plan { address: self.address, host: self.host.clone(), dialect: self.dialect.clone() }
    }

    /// So many companies.
    pub(crate) fn rooms(&self, count: u32) -> anyhow::Result<Vec<CompanyId>> {
        rooms(&self.generator, count as usize)
    }

    /// Waits for the moment at which several generators begin.
    pub(crate) async fn beginning(&self) -> anyhow::Result<()> {
        let Some(at) = self.start_at else { return Ok(()) };
        let at_us = at * 1_000_000;
        let wait = at_us.checked_sub(now_us()).context("--start-at is over: the sessions were not there in time")?;
        tokio::time::sleep(Duration::from_micros(wait)).await;
        Ok(())
    }

    /// The ticket of a session's number, the rooms in turn.
    pub(crate) fn ticket(&self, number: usize, rooms: &[CompanyId]) -> anyhow::Result<Ticket> {
        let room = rooms[number % rooms.len()].clone();
        let token = self.mint.session(room.clone(), UserId::parse(&format!("{}-{number}", self.generator))?)?;
        Ok(Ticket { number, room, token, after: None })
    }

    /// Opens sessions, the rooms in turn.
    pub(crate) async fn sessions(&self, count: usize, rooms: &[CompanyId]) -> anyhow::Result<Fleet> {
        Fleet::open(&self.plan(), count, self.readers, |number| self.ticket(number, rooms)).await
    }

    /// What publishes to these rooms; there is one.
    pub(crate) fn pacer(&mut self, rooms: &[CompanyId], size: usize) -> anyhow::Result<Pacer> {
        Pacer::new(self.outlet.take().context("no way to publish")?, rooms.to_vec(), size)
    }

    /// CPU of its processes so far, where they are known.
    pub(crate) fn cpu(&self) -> anyhow::Result<Option<Cpu>> {
        (!self.pids.is_empty()).then(|| Cpu::of_all(&self.pids)).transpose()
    }

    /// Memory of its processes.
    pub(crate) fn pss(&self) -> anyhow::Result<u64> {
        pss_of_all(&self.pids)
    }
}

/// The companies of a generator, with ids of one length.
pub(crate) fn rooms(generator: &str, count: usize) -> anyhow::Result<Vec<CompanyId>> {
    anyhow::ensure!(count > 0, "at least one company");
    (0..count).map(|number| CompanyId::parse(&format!("{generator}-{number:05}")).context("--name")).collect()
}
