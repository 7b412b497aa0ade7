//! Starts everything, lets it live, and adds up.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use tokio::time::sleep;

use super::{
    Args,
    balancer::Balancer,
    cluster::{Cluster, Pace, Slot},
    crowd::Crowd,
    hpa::whole,
    manifests::Manifests,
    prometheus::Prometheus,
    record::Report,
    world::World,
};
use crate::{
    measure::{children::Redis, common::rooms, events::Events, mint::Mint, pace::Pacer},
    system::ToGateway,
    target::{Target, TargetArgs},
};

/// Bytes of an event's frame.
const SIZE: usize = 300;
/// How far Prometheus looks back for a sample, by default.
const LOOKBACK: Duration = Duration::from_secs(300);
/// The flush behind a drain takes its real time.
const FLUSH: Duration = Duration::from_secs(10);
/// How long, at the end, what was published may take to arrive, and how often to look.
const LAST_ARRIVALS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(50));

/// Plays the story.
pub(super) async fn play(args: &Args) -> anyhow::Result<Report> {
    let mut manifests = Manifests::read(&args.manifests)?;
    if let Some(target) = args.target {
        manifests.aim_at(target)?;
    }
    let folder = tempfile::Builder::new().prefix("autoscale-").tempdir()?;
    let fast = |duration: Duration| duration.div_f64(args.speed);
    let drain = fast(manifests.drain()?).as_secs().max(1);
    let target = manifests.target()?;
    let (most, least) = (args.sessions as usize, args.sessions as usize / 4);
    let expected = |clients: usize| manifests.min().max(whole(clients as f64 / target));

    let redis = Redis::start(&args.redis_bin).await?;
    // As many again: those that drain have their places still.
    let slots = (0..2 * expected(most) + 2).map(|_| Slot::free()).collect::<anyhow::Result<Vec<_>>>()?;
    let mut balancers = vec![];
    // Two of them: a session that passes one takes two descriptors of it.
    for name in ["haproxy-a", "haproxy-b"] {
        balancers.push(Balancer::start(args.haproxy_bin.clone(), folder.path(), name, &slots).await?);
    }
    let addresses = balancers.iter().map(|balancer| balancer.address).collect();
    let secret: String = (0..4).map(|_| format!("{:016x}", rand::random::<u64>())).collect();
    let settings = settings(&manifests, &redis.url, &secret, drain);
    let pace = Pace {
        pre_stop: fast(manifests.pre_stop),
        min_ready: fast(manifests.min_ready),
        grace: fast(manifests.grace) + FLUSH,
    };
    let program = match &args.gateway_bin {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("gateway"),
    };
    let (scrape, program_of_prometheus) = (fast(manifests.scrape_interval), args.prometheus_bin.clone());
    let mut prometheus = Prometheus::new(program_of_prometheus, folder.path().to_owned(), scrape, fast(LOOKBACK))?;
    prometheus.start().await?;
    let companies = rooms("load", args.rooms as usize)?;
    let mint = Mint::new(&SecretString::from(secret), None, None);
    let crowd = Crowd::new(most, companies.clone(), addresses, mint)?;
    let publish = TargetArgs { redis: Some(redis.url.clone()), gateway: None };
    let publish = Target::open(&publish, || anyhow::bail!("Redis asks for no token"))?;
    let pacer = Pacer::new(Box::new(ToGateway::new(publish)?), companies, SIZE)?;
    let events = Events::start(pacer, args.events);

    let mut world = World {
        cluster: Cluster::new(program, settings, pace, (slots, balancers), manifests.min())?,
        prometheus,
        crowd,
        keda: manifests.keda()?,
        hpa: manifests.hpa()?,
        query: manifests.query()?.to_owned(),
        speed: args.speed,
        clients: (most, least),
        few: expected(least),
    };
    let record = world.live().await?;
    let (published, newest) = events.stop().await?;
    let deadline = Instant::now() + LAST_ARRIVALS.0;
    while world.crowd.behind(&newest) > 0 && Instant::now() < deadline {
        sleep(LAST_ARRIVALS.1).await;
    }
    let sightings = &world.crowd.sightings;
    let read = |counter: &AtomicU64| counter.load(Relaxed);
    let report = Report {
        measure: "autoscale",
        sessions: most,
        events_per_second: args.events,
        speed: args.speed,
        target,
        drain_secs: drain,
        published,
        delivered: read(&sightings.delivered),
        lost: read(&sightings.missing) + world.crowd.behind(&newest),
        twice: read(&sightings.doubles),
        losses_told: read(&sightings.losses_told),
        reconnects: read(&sightings.reopened),
        cut: read(&sightings.cut),
        refused: read(&sightings.refused),
        expected_replicas: (expected(most), expected(least)),
        late_p99_ms: record.late.map_or(0.0, |late| late.value_at_quantile(0.99) as f64 / 1_000.0),
        mishaps: world.cluster.mishaps.clone(),
        ..Report::default()
    };
    Ok(report.conclude(record.samples))
}

/// Those of the manifests, but for what is another here.
fn settings(manifests: &Manifests, redis: &str, secret: &str, drain: u64) -> BTreeMap<String, String> {
    let mut settings = manifests.settings.clone();
    for name in ["GATEWAY_STATIC_DIR", "GATEWAY_JWT_SECRET_FILE"] {
        settings.remove(name);
    }
    let ours = [
        ("GATEWAY_REDIS_URL", redis),
        ("GATEWAY_JWT_SECRET", secret),
        ("GATEWAY_DRAIN_SECS", &drain.to_string()),
        ("GATEWAY_LOG", "error"),
    ];
    settings.extend(ours.map(|(name, value)| (name.to_owned(), value.to_owned())));
    settings
}
