//! The loops of the controllers and of the story, on one clock.

use std::{
    collections::BTreeMap,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    cluster::Cluster,
    crowd::Crowd,
    hpa::Hpa,
    keda::Trigger,
    prometheus::Prometheus,
    record::Sample,
    story::{Phase, Sight},
};
use crate::terminal;

/// How often the controllers look, in real time.
const TICK: Duration = Duration::from_millis(250);
/// How often a sample is taken, in real time.
const SAMPLE: Duration = Duration::from_secs(1);
/// How often the autoscaler syncs (`--horizontal-pod-autoscaler-sync-period`).
const SYNC: Duration = Duration::from_secs(15);

/// Everything that runs, and who decides.
pub(super) struct World {
    pub(super) cluster: Cluster,
    pub(super) prometheus: Prometheus,
    pub(super) crowd: Crowd,
    pub(super) keda: Trigger,
    pub(super) hpa: Hpa,
    pub(super) query: String,
    /// Minutes of the cluster that one real minute is.
    pub(super) speed: f64,
    /// Clients at the peak, and at the end.
    pub(super) clients: (usize, usize),
    /// Replicas that the few clients at the end need.
    pub(super) few: u32,
}

/// What a run leaves behind.
#[derive(Default)]
pub(super) struct Record {
    pub(super) samples: Vec<Sample>,
    /// How long events waited for sessions that were on their way, in microseconds.
    pub(super) late: Option<Histogram<u64>>,
}

/// Counters at the last sample.
struct Before {
    at: Instant,
    reopened: u64,
    refused: u64,
}

impl World {
    /// Lives until the story is over.
    pub(super) async fn live(&mut self) -> anyhow::Result<Record> {
        let mut record = Record::default();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = Instant::now();
        let mut before = Before { at: began, reopened: 0, refused: 0 };
        let (mut phase, mut since, mut synced) = (Phase::Up, Duration::ZERO, Duration::ZERO);
        let mut made_up = false;
        // Nobody comes before the first replicas are there.
        while !self.cluster.is_settled() {
            ticks.tick().await;
            self.reconcile().await?;
        }
        let started = Instant::now();
        while phase != Phase::Done {
            ticks.tick().await;
            let now = started.elapsed().mul_f64(self.speed);
            self.reconcile().await?;
            if now >= synced + SYNC {
                synced = now;
                made_up = self.sync(now).await;
            }
            let lasted = now - since;
            self.crowd.resize(phase.clients(lasted, self.clients.0, self.clients.1))?;
            if before.at.elapsed() >= SAMPLE {
                let sample = self.sample(phase, now, made_up, &mut before, &mut record).await;
                record.samples.push(sample);
            }
            let sight = Sight { settled: self.cluster.is_settled(), few: self.cluster.wanted <= self.few };
            if let Some(next) = phase.next(lasted, sight) {
                self.enter(next).await?;
                (phase, since) = (next, now);
            }
        }
        Ok(record)
    }

    async fn enter(&mut self, phase: Phase) -> anyhow::Result<()> {
        terminal::note(format!("{}: {} clients, {} replicas", phase.label(), self.crowd.len(), self.cluster.wanted));
        match phase {
            Phase::Blind => self.prometheus.kill(),
            Phase::Seeing => self.prometheus.start().await?,
            Phase::Roll => self.cluster.roll(),
            _ => {}
        }
        Ok(())
    }

    async fn reconcile(&mut self) -> anyhow::Result<()> {
        if self.cluster.reconcile().await? {
            self.prometheus.targets(&self.cluster.pods())?;
        }
        Ok(())
    }

    /// One sync of the autoscaler; whether what it was told was made up.
    async fn sync(&mut self, now: Duration) -> bool {
        let answer = self.prometheus.ask(&self.query).await;
        let reading = self.keda.read(answer, self.cluster.wanted);
        self.cluster.wanted = self.hpa.sync(now, self.cluster.wanted, reading.sum);
        reading.made_up
    }

    async fn sample(
        &mut self,
        phase: Phase,
        now: Duration,
        made_up: bool,
        before: &mut Before,
        record: &mut Record,
    ) -> Sample {
        let (mut held, mut draining) = (BTreeMap::new(), 0);
        for (slot, connections) in self.cluster.connections().await {
            match connections {
                (active, 0) => drop(held.insert(slot, active)),
                (_, leaving) => draining += leaving,
            }
        }
        let sightings = &self.crowd.sightings;
        let (reopened, refused) = (sightings.reopened.load(Relaxed), sightings.refused.load(Relaxed));
        let seconds = before.at.elapsed().as_secs_f64();
        let per_second = |now: u64, before: u64| (now - before) as f64 / seconds;
        let rates = (per_second(reopened, before.reopened), per_second(refused, before.refused));
        *before = Before { at: Instant::now(), reopened, refused };
        let (live, late) = sightings.take_latencies();
        match &mut record.late {
            None => record.late = Some(late),
            // Equal bounds on both sides: adding cannot fail.
            Some(all) => drop(all.add(&late)),
        }
        Sample {
            minute: now.as_secs_f64() / 60.0,
            phase,
            clients: self.crowd.len(),
            held,
            draining,
            wanted: self.cluster.wanted,
            ready: self.cluster.ready(),
            reconnects: rates.0,
            refused: rates.1,
            p99_ms: live.value_at_quantile(0.99) as f64 / 1_000.0,
            made_up,
        }
    }
}
