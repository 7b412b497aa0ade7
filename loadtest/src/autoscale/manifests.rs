//! What the rendered manifests say: how to scale, and how a pod lives and ends.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::Context;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    hpa::{Behavior, Hpa},
    keda::{Fallback, Trigger},
};

/// Everything that the run takes from them.
#[derive(Debug)]
pub(super) struct Manifests {
    /// Settings of the gateway.
    pub(super) settings: BTreeMap<String, String>,
    /// How long a pod is still served before it is told to end.
    pub(super) pre_stop: Duration,
    /// How long a new pod must have been ready before an old one goes.
    pub(super) min_ready: Duration,
    /// How long a pod may take to end.
    pub(super) grace: Duration,
    /// How often Prometheus scrapes.
    pub(super) scrape_interval: Duration,
    scaling: ScaledObject,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScaledObject {
    min_replica_count: u32,
    max_replica_count: u32,
    fallback: Option<Fallback>,
    advanced: Advanced,
    triggers: Vec<TriggerSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Advanced {
    horizontal_pod_autoscaler_config: HpaConfig,
}

#[derive(Debug, Deserialize)]
struct HpaConfig {
    behavior: Behavior,
}

#[derive(Debug, Deserialize)]
struct TriggerSpec {
    metadata: TriggerMetadata,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TriggerMetadata {
    query: String,
    threshold: String,
    #[serde(default = "yes")]
    ignore_null_values: String,
}

fn yes() -> String {
    "true".to_owned()
}

impl Manifests {
    /// Reads what kustomize rendered.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        Self::parse(&text).with_context(|| file.display().to_string())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let resources: Vec<Value> = serde_saphyr::from_multiple(text)?;
        let find = |kind: &str, name: &str| {
            let is = |resource: &&Value| {
                resource["kind"] == kind
                    && resource["metadata"]["name"].as_str().is_some_and(|own| own.starts_with(name))
            };
            resources.iter().find(is).with_context(|| format!("no {kind} {name}"))
        };
        let deployment = &find("Deployment", "gateway")?["spec"];
        let pod = &deployment["template"]["spec"];
        let [container, ..] = &pod["containers"].as_array().context("no containers")?[..] else {
            anyhow::bail!("no container")
        };
        let monitor = find("PodMonitor", "gateway")?;
        let interval: String = read(&monitor["spec"]["podMetricsEndpoints"][0]["interval"])?;
        let interval = interval.strip_suffix('s').and_then(|seconds| seconds.parse().ok()).context("interval")?;
        let settings = resources.iter().find(|resource| resource["data"]["GATEWAY_DRAIN_SECS"].is_string());
        Ok(Self {
            settings: read(&settings.context("no ConfigMap with settings")?["data"])?,
            pre_stop: seconds(&container["lifecycle"]["preStop"]["sleep"]["seconds"])?,
            min_ready: seconds(&deployment["minReadySeconds"])?,
            grace: seconds(&pod["terminationGracePeriodSeconds"])?,
            scrape_interval: Duration::from_secs(interval),
            scaling: read(&find("ScaledObject", "gateway")?["spec"])?,
        })
    }

    /// Lets a replica hold another number.
    pub(super) fn aim_at(&mut self, target: f64) -> anyhow::Result<()> {
        self.scaling.triggers.first_mut().context("no trigger")?.metadata.threshold = target.to_string();
        Ok(())
    }

    /// The query that is scaled by.
    pub(super) fn query(&self) -> anyhow::Result<&str> {
        Ok(&self.trigger()?.query)
    }

    /// What a replica is to hold.
    pub(super) fn target(&self) -> anyhow::Result<f64> {
        Ok(self.trigger()?.threshold.parse()?)
    }

    /// The replicas that there are at least.
    pub(super) fn min(&self) -> u32 {
        self.scaling.min_replica_count
    }

    /// KEDA's part.
    pub(super) fn keda(&self) -> anyhow::Result<Trigger> {
        let ignore = self.trigger()?.ignore_null_values == "true";
        Ok(Trigger::new(self.target()?, ignore, self.scaling.fallback.clone()))
    }

    /// The autoscaler's part.
    pub(super) fn hpa(&self) -> anyhow::Result<Hpa> {
        let behavior = self.scaling.advanced.horizontal_pod_autoscaler_config.behavior.clone();
        Ok(Hpa::new(self.scaling.min_replica_count, self.scaling.max_replica_count, self.target()?, behavior))
    }

    /// How long a drain may take.
    pub(super) fn drain(&self) -> anyhow::Result<Duration> {
        let seconds = self.settings.get("GATEWAY_DRAIN_SECS").context("no GATEWAY_DRAIN_SECS")?;
        Ok(Duration::from_secs(seconds.parse()?))
    }

    fn trigger(&self) -> anyhow::Result<&TriggerMetadata> {
        Ok(&self.scaling.triggers.first().context("no trigger")?.metadata)
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> anyhow::Result<T> {
    T::deserialize(value).map_err(|error| anyhow::anyhow!("{error} in {value}"))
}

fn seconds(value: &Value) -> anyhow::Result<Duration> {
    Ok(Duration::from_secs(read(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscale::keda::Answer;

    const FILES: [&str; 3] = [
        include_str!("../../../k8s/components/keda/scaledobject.yaml"),
        include_str!("../../../k8s/base/gateway/deployment.yaml"),
        include_str!("../../../k8s/base/monitoring/podmonitor.yaml"),
    ];
    const CONFIG: &str =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gateway-x}\ndata: {GATEWAY_DRAIN_SECS: '30'}\n";

    #[test]
    fn the_projects_own_manifests_say_what_is_needed() {
        let manifests = Manifests::parse(&[&FILES[..], &[CONFIG]].concat().join("---\n")).unwrap();
        assert!(manifests.query().unwrap().contains("gateway_connections"));
        assert!(manifests.grace >= manifests.pre_stop + manifests.drain().unwrap());
        assert!(manifests.min_ready > Duration::ZERO && manifests.scrape_interval > Duration::ZERO);
        let target = manifests.target().unwrap();
        let (mut keda, mut hpa) = (manifests.keda().unwrap(), manifests.hpa().unwrap());
        let reading = keda.read(Answer::Value(3.0 * target), 2);
        assert_eq!(hpa.sync(Duration::ZERO, 2, reading.sum), 3);
        assert_eq!(keda.read(Answer::Nothing, 3).sum, None, "nothing is not zero");
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Manifests::parse(&FILES[1..].join("---\n")).unwrap_err();
        assert!(format!("{error:#}").contains("no ConfigMap"), "{error:#}");
    }
}
