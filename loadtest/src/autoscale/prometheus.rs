//! A real Prometheus, which finds its targets as the PodMonitor would have it.

use std::{net::SocketAddr, path::PathBuf, process::Command, time::Duration};

use reqwest::Url;
use serde::Deserialize;
use serde_json::json;

use super::keda::Answer;
use crate::{
    defaults::HTTP_TIMEOUT,
    measure::children::{Guard, exchange, free_address, spawn, until},
};

/// What the manifests call the pods' namespace, which the query asks for.
const NAMESPACE: &str = "realtime";

/// A Prometheus, running or not.
pub(super) struct Prometheus {
    program: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    /// How far an answer may look back for a sample.
    lookback: Duration,
    client: reqwest::Client,
    child: Option<Guard>,
}

#[derive(Deserialize)]
struct Reply {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    value: (f64, String),
}

impl Prometheus {
    /// Prepares one that scrapes so often.
    pub(super) fn new(
        program: PathBuf,
        folder: PathBuf,
        interval: Duration,
        lookback: Duration,
    ) -> anyhow::Result<Self> {
        let targets = folder.join("targets.json");
        let every = format!("{}ms", interval.as_millis());
        let config = json!({
            "global": {"scrape_interval": every, "scrape_timeout": every},
            "scrape_configs": [{"job_name": "realtime/gateway", "file_sd_configs": [{"files": [targets]}]}],
        });
        std::fs::write(folder.join("prometheus.yaml"), config.to_string())?;
        let client = reqwest::Client::builder().no_proxy().timeout(HTTP_TIMEOUT).build()?;
        let prometheus = Self { program, folder, address: free_address()?, lookback, client, child: None };
        prometheus.targets(&[])?;
        Ok(prometheus)
    }

    /// Starts it, on what it knew before.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let folder = self.folder.display();
        let mut command = Command::new(&self.program);
        command
            .arg(format!("--config.file={folder}/prometheus.yaml"))
            .arg(format!("--storage.tsdb.path={folder}/data"))
            .arg(format!("--web.listen-address={}", self.address))
            .arg(format!("--query.lookback-delta={}ms", self.lookback.as_millis()))
            .arg("--log.level=error");
        let mut child = spawn(command, &self.program)?;
        let request = format!("GET /-/ready HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        until(&mut child, async || {
            exchange(self.address, request.as_bytes()).await.is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
        })
        .await?;
        self.child = Some(child);
        Ok(())
    }

    /// Ends it without warning.
    pub(super) fn kill(&mut self) {
        self.child = None;
    }

    /// Names the pods that are to be scraped.
    pub(super) fn targets(&self, pods: &[(String, SocketAddr)]) -> anyhow::Result<()> {
        let groups: Vec<_> = pods
            .iter()
            .map(|(pod, admin)| {
                let labels = json!({"namespace": NAMESPACE, "pod": pod, "container": "gateway"});
                json!({"targets": [admin.to_string()], "labels": labels})
            })
            .collect();
        // Renamed into its place: it is read whole.
        let new = self.folder.join("targets.new");
        std::fs::write(&new, serde_json::to_vec(&groups)?)?;
        Ok(std::fs::rename(new, self.folder.join("targets.json"))?)
    }

    /// The answer to a query for one number.
    pub(super) async fn ask(&self, query: &str) -> Answer {
        let base = format!("http://{}/api/v1/query", self.address);
        let Ok(url) = Url::parse_with_params(&base, [("query", query)]) else { return Answer::Unreachable };
        let Ok(response) = self.client.get(url).send().await else { return Answer::Unreachable };
        let Ok(reply) = response.json::<Reply>().await else { return Answer::Unreachable };
        match reply.data.result.first().map(|series| series.value.1.parse()) {
            Some(Ok(value)) => Answer::Value(value),
            _ => Answer::Nothing,
        }
    }
}
