//! `docs/metrics.md` against the program: dashboards and alerts are written from the page.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Launch, Redis, Token, eventually};

const PAGE: &str = include_str!("../../../docs/metrics.md");

/// What the page and the program both say of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Metric {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

/// The rows of the page's tables: name, type, labels, help.
fn documented() -> BTreeMap<String, Metric> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, help] = cells[..] else { return None };
        let name = name.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        let labels = labels.split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        Some((name, Metric { kind: kind.to_owned(), help: help.to_owned(), labels }))
    };
    PAGE.lines().filter(|line| line.starts_with("| `")).filter_map(row).collect()
}

/// What the text format says: `# HELP`, `# TYPE`, and the labels of each series.
fn exported(text: &str) -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            metrics.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            metrics.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else if let Some((series, labels)) = line.split_once('{') {
            let family = series.strip_suffix("_bucket").unwrap_or(series);
            let family = metrics.get_mut(family).unwrap_or_else(|| panic!("a series of no metric: {line}"));
            let (labels, _) = labels.rsplit_once('}').unwrap();
            let names = labels.split(',').filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned());
            family.labels.extend(names.filter(|name| name != "le"));
        }
    }
    metrics
}

#[tokio::test]
async fn the_page_and_the_program_name_the_same_metrics() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let text = eventually("the link to Redis", async || {
        let text = gateway.admin_get("/metrics").await.body;
        if text.contains("gateway_shard_up{") { Ok(text) } else { Err("no link yet") }
    })
    .await;
    let (documented, exported) = (documented(), exported(&text));

    assert!(exported.len() > 30, "only {} metrics", exported.len());
    let names = |metrics: &BTreeMap<String, Metric>| metrics.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&documented), names(&exported));
    for (name, metric) in documented {
        assert_eq!(metric, exported[&name], "{name}");
        assert!(name.starts_with("gateway_"), "{name}");
    }
}

#[tokio::test]
async fn an_events_way_to_the_socket_is_measured_once_for_all_sessions_of_a_worker() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).set("GATEWAY_WORKERS", "1").start().await;
    let mut sessions = vec![];
    for _ in 0..5 {
        sessions.push(gateway.connect(&Token::user("acme", "anna").sign()).await);
    }
    gateway.publish_numbered("acme", 0..10).await;
    let mut old = crate::support::event("acme", "devis:signed", 10);
    old["time"] = "2020-01-01T00:00:00Z".into();
    gateway.publish(&old).await;
    for session in &mut sessions {
        session.events(11).await;
    }

    // They are counted right behind the last write.
    gateway.metric_becomes("gateway_fanout_seconds_count", 11.0).await;
    gateway.metric_becomes("gateway_publish_to_socket_seconds_count", 10.0).await;
    assert_eq!(gateway.metric("gateway_event_times_ignored_total").await, 1.0);
    assert_eq!(gateway.metric("gateway_deliveries_total").await, 55.0);
    assert!(gateway.metric("gateway_publish_to_socket_seconds_sum").await < 10.0 * 10.0);
    eventually("a probe that was heard", async || match gateway.metric("gateway_delivery_probe_seconds_count").await {
        none if none < 1.0 => Err(none),
        _ => Ok(()),
    })
    .await;
}
