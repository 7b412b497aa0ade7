//! What every measuring command is told: where the gateway is and how tokens are signed.

use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::Context;
use reqwest::Url;
use secrecy::SecretString;
use shared::{CompanyId, UserId};

use super::mint::Mint;
use crate::client::{Fleet, Plan};

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
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Common {
    /// What signs tokens.
    pub(crate) fn mint(&self) -> Mint {
        Mint::new(&self.jwt_secret, self.jwt_issuer.clone(), self.jwt_audience.clone())
    }

    /// Opens sessions, the rooms in turn.
    pub(crate) async fn sessions(&self, count: usize, rooms: &[CompanyId]) -> anyhow::Result<Fleet> {
        let plan = self.plan()?;
        let mint = self.mint();
        let token = |number: usize| {
            let user = UserId::parse(&format!("load-{number}"))?;
            mint.session(rooms[number % rooms.len()].clone(), user)
        };
        Fleet::open(&plan, count, self.readers, token).await
    }

    /// Where sessions connect to.
    pub(crate) fn plan(&self) -> anyhow::Result<Plan> {
        anyhow::ensure!(self.url.scheme() == "ws", "--url speaks ws:// only");
        let host = self.url.host_str().context("--url names no host")?;
        let port = self.url.port_or_known_default().unwrap_or(80);
        let address: SocketAddr =
            (host.trim_matches(['[', ']']), port).to_socket_addrs().context("--url")?.next().context("--url")?;
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Plan { address, host: format!("{host}:{port}"), target: format!("{}{query}", self.url.path()) })
    }
}

/// The companies of a measurement, with ids of one length.
pub(crate) fn rooms(count: usize) -> anyhow::Result<Vec<CompanyId>> {
    anyhow::ensure!(count > 0, "at least one company");
    (0..count).map(|number| Ok(CompanyId::parse(&format!("load-{number:05}"))?)).collect()
}
