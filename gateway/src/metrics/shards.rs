//! The links to Redis, one to each shard of a cluster, by number: no label carries an address.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use prometheus::{Gauge, GaugeVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::register;

/// What is known of each link.
#[derive(Debug)]
pub struct Shards {
    links: Mutex<BTreeMap<usize, Link>>,
    all_up: IntGauge,
    up: IntGaugeVec,
    companies: IntGaugeVec,
    probe_age: Gauge,
    probe_ages: GaugeVec,
}

#[derive(Debug)]
struct Link {
    up: bool,
    companies: usize,
    probe_heard_at: Instant,
}

impl Shards {
    pub(super) fn new(registry: &Registry) -> Self {
        let by_shard = |name: &str, help: &str| Opts::new(name, help);
        let probe_age = "Seconds since the link to Redis last proved that it delivers";
        Self {
            links: Mutex::default(),
            all_up: register(
                registry,
                IntGauge::new("gateway_backplane_up", "1 while the link to Redis is up, to every shard of a cluster"),
            ),
            up: register(
                registry,
                IntGaugeVec::new(by_shard("gateway_shard_up", "1 while the link to this shard is up"), &["shard"]),
            ),
            companies: register(
                registry,
                IntGaugeVec::new(
                    by_shard("gateway_shard_companies", "Companies that are heard over this shard's link"),
                    &["shard"],
                ),
            ),
            probe_age: register(registry, Gauge::new("gateway_delivery_probe_age_seconds", probe_age)),
            probe_ages: register(
                registry,
                GaugeVec::new(
                    by_shard("gateway_shard_probe_age_seconds", "The same for the link to this shard"),
                    &["shard"],
                ),
            ),
        }
    }

    /// A link is being opened.
    pub fn begin(&self, shard: usize) {
        self.links().insert(shard, Link { up: false, companies: 0, probe_heard_at: Instant::now() });
    }

    /// A link is given up, for its server has no slots any more.
    pub fn end(&self, shard: usize) {
        self.links().remove(&shard);
        let shard = shard.to_string();
        // What was never shown cannot be taken away.
        let _ = self.up.remove_label_values(&[&shard]);
        let _ = self.companies.remove_label_values(&[&shard]);
        let _ = self.probe_ages.remove_label_values(&[&shard]);
    }

    /// Whether a link is up.
    pub fn set_up(&self, shard: usize, up: bool) {
        self.with(shard, |link| link.up = up);
    }

    /// How many companies a link is to hear of.
    pub fn set_companies(&self, shard: usize, companies: usize) {
        self.with(shard, |link| link.companies = companies);
    }

    /// A link has just proved that it delivers.
    pub fn probe_heard(&self, shard: usize) {
        self.with(shard, |link| link.probe_heard_at = Instant::now());
    }

    fn with(&self, shard: usize, change: impl FnOnce(&mut Link)) {
        if let Some(link) = self.links().get_mut(&shard) {
            change(link);
        }
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<usize, Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the gauges up to date.
    pub(super) fn show(&self) {
        let links = self.links();
        self.all_up.set(i64::from(!links.is_empty() && links.values().all(|link| link.up)));
        let mut oldest: f64 = 0.0;
        for (shard, link) in &*links {
            let (shard, age) = (shard.to_string(), link.probe_heard_at.elapsed().as_secs_f64());
            oldest = oldest.max(age);
            self.up.with_label_values(&[&shard]).set(i64::from(link.up));
            self.companies.with_label_values(&[&shard]).set(i64::try_from(link.companies).unwrap_or(i64::MAX));
            self.probe_ages.with_label_values(&[&shard]).set(age);
        }
        self.probe_age.set(oldest);
    }
}
