//! A replica that joins gets its share of the sessions, and nobody is moved on an old picture of the fleet.

use shared::Cursor;

use crate::support::{Balancer, Client, Gateway, Launch, Nomad, Redis, Token, eventually};

const MOVED: &str = "gateway_moves_asked_total{reason=\"rebalance\"}";

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

/// Twenty times the usual pace, so that a test need not wait.
async fn replica(redis: &Redis) -> Gateway {
    Launch::new().redis(redis).set("GATEWAY_REBALANCE", "20").start().await
}

#[tokio::test]
async fn a_fourth_replica_gets_its_share_and_nobody_misses_an_event() {
    const SESSIONS: usize = 300;
    let redis = Redis::start().await;
    let balancer = Balancer::default();
    let mut replicas = vec![replica(&redis).await, replica(&redis).await, replica(&redis).await];
    replicas.iter().for_each(|replica| balancer.add(**replica));
    replicas[0].publish_numbered("acme", 0..1).await;
    let mut nomads = vec![];
    for _ in 0..SESSIONS {
        nomads.push(Nomad::start(&balancer, &anna()).await);
    }
    let mut expected: Vec<Cursor> = replicas[0].publish_numbered("acme", 1..50).await;

    replicas.push(replica(&redis).await);
    balancer.add(*replicas[3]);

    for replica in &replicas {
        replica.metric_becomes("gateway_fleet_replicas", 4.0).await;
    }
    let mut number = 50;
    let most = SESSIONS / 4 * 5 / 4;
    eventually("a level fleet", async || {
        expected.extend(replicas[0].publish_numbered("acme", number..number + 1).await);
        number += 1;
        let counts = balancer.counts();
        if counts.iter().all(|count| *count <= most) { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    for replica in &replicas {
        replica.metric_becomes("gateway_rebalancing", 0.0).await;
        replica.metric_becomes("gateway_sessions_moving", 0.0).await;
    }
    expected.extend(replicas[3].publish_numbered("acme", number..number + 50).await);
    for nomad in &nomads {
        nomad.expect_events(&expected).await;
    }
    // Not many more than were too many: at this pace the reports are a little behind. And nobody twice.
    let moves: Vec<usize> = nomads.iter().map(Nomad::moves).collect();
    let moved: usize = moves.iter().sum();
    assert!((SESSIONS / 8..=SESSIONS / 4 * 3 / 2).contains(&moved), "{moved}");
    assert_eq!(moves.iter().max(), Some(&1));
}

/// One replica with a hundred sessions, once the others are as the test wants them.
async fn crowd(replica: &Gateway) -> Vec<Client> {
    let mut sessions = vec![];
    for _ in 0..100 {
        sessions.push(replica.connect(&anna()).await);
    }
    sessions
}

/// Waits until the replicas have told each other what they hold so many times more.
async fn beats(redis: &Redis, count: u64) {
    let newest = async || {
        let reports: Vec<String> = redis.command(&["HVALS", "gateway:fleet"]).await;
        let beat = |report: &String| report.split(' ').nth(1).and_then(|beat| beat.parse::<u64>().ok());
        reports.iter().filter_map(beat).max().unwrap_or_default()
    };
    let until = newest().await + count;
    eventually("some beats", async || match newest().await {
        beat if beat >= until => Ok(()),
        beat => Err(beat),
    })
    .await;
}

async fn expect_moves(replica: &Gateway) {
    eventually("sessions are moved", async || match replica.metric(MOVED).await {
        none if none < 1.0 => Err(none),
        _ => Ok(()),
    })
    .await;
}

#[tokio::test]
async fn a_replica_that_has_stopped_is_no_room_until_it_is_back() {
    let redis = Redis::start().await;
    let (full, other) = (replica(&redis).await, replica(&redis).await);
    full.metric_becomes("gateway_fleet_replicas", 2.0).await;
    other.pause();
    full.metric_becomes("gateway_fleet_replicas", 1.0).await;
    let _sessions = crowd(&full).await;

    beats(&redis, 3).await;
    assert_eq!(full.metric(MOVED).await, 0.0);

    other.unpause();
    expect_moves(&full).await;
}

#[tokio::test]
async fn a_replica_that_drains_is_no_room() {
    let redis = Redis::start().await;
    let full = replica(&redis).await;
    let other = Launch::new().redis(&redis).set("GATEWAY_DRAIN_SECS", "600").start().await;
    full.metric_becomes("gateway_fleet_replicas", 2.0).await;
    let _stays = other.connect(&anna()).await;
    other.terminate();
    full.metric_becomes("gateway_fleet_replicas", 1.0).await;
    let _sessions = crowd(&full).await;

    beats(&redis, 3).await;
    assert_eq!(full.metric(MOVED).await, 0.0);
    assert_eq!(full.metric("gateway_fleet_known").await, 1.0);
}

#[tokio::test]
async fn a_replica_at_its_cap_is_no_room() {
    let redis = Redis::start().await;
    let full = replica(&redis).await;
    let small = Launch::new().redis(&redis).set("GATEWAY_MAX_CONNECTIONS", "1").start().await;
    let _only = small.connect(&anna()).await;
    full.metric_becomes("gateway_fleet_known", 1.0).await;
    let _sessions = crowd(&full).await;

    beats(&redis, 3).await;
    assert_eq!(full.metric("gateway_fleet_known").await, 1.0);
    assert_eq!(full.metric(MOVED).await, 0.0);
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let redis = Redis::start().await;
    let full = Launch::new().redis(&redis).set("GATEWAY_REBALANCE", "off").start().await;
    let _other = replica(&redis).await;
    let _sessions = crowd(&full).await;
    full.metric_becomes("gateway_fleet_replicas", 2.0).await;

    beats(&redis, 3).await;
    assert_eq!(full.metric(MOVED).await, 0.0);
}

#[tokio::test]
async fn without_redis_nobody_is_moved_and_afterwards_the_fleet_is_found_again() {
    let mut redis = Redis::start().await;
    let (full, other) = (replica(&redis).await, replica(&redis).await);
    full.metric_becomes("gateway_fleet_replicas", 2.0).await;
    redis.kill();
    full.metric_becomes("gateway_fleet_known", 0.0).await;
    let _sessions = crowd(&full).await;
    assert_eq!(full.metric(MOVED).await, 0.0);

    redis.launch().await;
    other.metric_becomes("gateway_backplane_up", 1.0).await;
    full.metric_becomes("gateway_fleet_known", 1.0).await;
    expect_moves(&full).await;
}
