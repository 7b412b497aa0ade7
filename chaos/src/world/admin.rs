//! The admin side of a gateway: probes and metrics.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;

use crate::defaults::ADMIN_TIMEOUT;

/// A client for probes and metrics: a connection for each question.
#[derive(Debug, Clone)]
pub(super) struct Admin(reqwest::Client);

/// What a gateway counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(Vec<(String, f64)>);

impl Admin {
    pub(super) fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(ADMIN_TIMEOUT);
        Ok(Self(client.connect_timeout(Duration::from_secs(1)).build()?))
    }

    /// The status of a probe.
    pub(super) async fn probe(&self, admin: SocketAddr, path: &str) -> anyhow::Result<u16> {
        Ok(self.0.get(format!("http://{admin}{path}")).send().await?.status().as_u16())
    }

    pub(super) async fn metrics(&self, admin: SocketAddr) -> anyhow::Result<Metrics> {
        let text = self.0.get(format!("http://{admin}/metrics")).send().await?.text().await?;
        let sample = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        };
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect();
        anyhow::ensure!(!samples.is_empty(), "no metrics");
        Ok(Metrics(samples))
    }
}

impl Metrics {
    /// The sum over all labels of a metric.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let of_metric = |series: &str| series.split('{').next() == Some(name);
        self.0.iter().filter(|(series, _)| of_metric(series)).map(|(_, value)| value).sum()
    }

    /// The sum over all labels of a metric that has one at all.
    pub(crate) fn get(&self, name: &str) -> anyhow::Result<f64> {
        let known = self.0.iter().any(|(series, _)| series.split('{').next() == Some(name));
        anyhow::ensure!(known, "the gateway has no metric {name}");
        Ok(self.sum(name))
    }

    /// Adds those of another gateway.
    pub(crate) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Fails unless the probe says yes.
pub(super) async fn expect_ready(admin: &Admin, address: SocketAddr) -> anyhow::Result<()> {
    let status = admin.probe(address, "/readyz").await.context("/readyz")?;
    anyhow::ensure!(status == 200, "/readyz says {status}");
    Ok(())
}
