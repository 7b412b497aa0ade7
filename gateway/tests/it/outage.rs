//! What a Redis can suffer, and that no session loses by it what Redis kept.

use shared::{DeliveryState, Resume, ServerFrame};

use crate::support::{Client, Launch, Load, Redis, Token, event, eventually, n};

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

/// The session has all `count` events of a [`Load`], in order and without a hole; what it was told about delivery.
async fn expect_whole_load(session: &mut Client, count: u64) -> Vec<DeliveryState> {
    let mut told = vec![];
    let mut last = session.welcome.last_event_id;
    let mut next = 0;
    while next < count {
        match session.frame().await {
            ServerFrame::Event(event) => {
                assert_eq!(n(&event), next);
                assert!(event.id.follows(last), "{} came after {last}", event.id);
                (last, next) = (event.id, next + 1);
            }
            ServerFrame::Status { delivery } => told.push(delivery),
            other => panic!("{other:?} after event {next}"),
        }
    }
    told
}

#[tokio::test]
async fn redis_killed_and_restarted_under_load_costs_nothing() {
    let mut redis = Redis::durable().await;
    let a = Launch::new().redis(&redis).start().await;
    let b = Launch::new().redis(&redis).start().await;
    let mut sessions = vec![];
    for gateway in [&a, &a, &b] {
        sessions.push(gateway.connect(&anna()).await);
    }
    let mut quiet = b.connect(&Token::user("quiet", "anna").sign()).await;
    let load = Load::start(*a, "acme");

    for _ in 0..2 {
        load.publishes_more(50).await;
        redis.kill();
        for gateway in [&a, &b] {
            gateway.get("/v1/events", &anna()).await.expect_problem(503, "unavailable");
            assert_eq!(gateway.admin_get("/readyz").await.status, 200, "an outage of Redis makes no replica unready");
        }
        quiet.expect_status(DeliveryState::Degraded).await;
        redis.launch().await;
        quiet.expect_status(DeliveryState::Live).await;
    }
    load.publishes_more(50).await;
    let count = load.finish().await;

    for session in &mut sessions {
        let told = expect_whole_load(session, count).await;
        assert_eq!(told, [DeliveryState::Degraded, DeliveryState::Live, DeliveryState::Degraded, DeliveryState::Live]);
    }
    assert_eq!(redis.command::<u64>(&["XLEN", "{company:acme}:log"]).await, count, "each is stored once");
}

#[tokio::test]
async fn a_gateway_starts_without_redis_and_goes_live_when_it_comes() {
    let mut redis = Redis::absent();
    let gateway = Launch::new().redis(&redis).start().await;

    assert_eq!(gateway.admin_get("/livez").await.status, 200);
    assert_eq!(gateway.admin_get("/readyz").await.status, 200);
    let mut early = gateway.connect(&anna()).await;
    early.expect_status(DeliveryState::Degraded).await;
    gateway.try_publish(&event("acme", "devis:signed", 0)).await.expect_problem(503, "unavailable");
    gateway.get("/v1/events", &anna()).await.expect_problem(503, "unavailable");
    redis.launch().await;

    // It came without a cursor and its place could not be known: it must fetch anew, once.
    let (mut live, mut resyncs) = (false, 0);
    while !(live && resyncs > 0) {
        match early.frame().await {
            ServerFrame::Status { delivery: DeliveryState::Live } => live = true,
            ServerFrame::Resync { .. } => resyncs += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(resyncs, 1);
    gateway.publish_when_possible(1).await;
    assert_eq!(n(&early.event().await), 1);
    let mut late = gateway.connect(&anna()).await;
    gateway.publish_when_possible(2).await;
    assert_eq!((n(&early.event().await), n(&late.event().await)), (2, 2));
}

#[tokio::test]
async fn a_session_that_comes_back_during_an_outage_is_caught_up_after_it() {
    let mut redis = Redis::durable().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut witness = gateway.connect(&Token::user("other", "bruno").sign()).await;
    let cursors = gateway.publish_numbered("acme", 0..10).await;

    redis.kill();
    witness.expect_status(DeliveryState::Degraded).await;
    let mut back = gateway.connect_from(&anna(), cursors[3]).await;
    back.expect_status(DeliveryState::Degraded).await;
    redis.launch().await;

    let mut numbers = vec![];
    while numbers.len() < 6 {
        numbers.push(n(&back.event_past_status().await));
    }
    gateway.publish_when_possible(10).await;
    numbers.push(n(&back.event_past_status().await));
    assert_eq!(numbers, [4, 5, 6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn sessions_that_come_and_go_during_an_outage_leave_nothing_behind() {
    let mut redis = Redis::absent();
    let gateway = Launch::new().redis(&redis).start().await;
    let mut witness = gateway.connect(&anna()).await;
    witness.expect_status(DeliveryState::Degraded).await;

    let token = anna();
    for number in 0..100 {
        let cursor = shared::Cursor { epoch: 1_763_800_000_000, seq: number + 1 };
        let fresh = gateway.connect(&token).await;
        let _back = gateway.connect_from(&token, cursor).await;
        let _stream = gateway.stream(&token).await;
        if number % 2 == 0 {
            fresh.close().await;
        }
    }
    gateway.metric_becomes("gateway_connections{state=\"active\"}", 1.0).await;
    redis.launch().await;

    let place = witness.expect_resync().await;
    witness.expect_status(DeliveryState::Live).await;
    assert_eq!(gateway.publish_when_possible(0).await.seq, place.seq + 1);
    assert_eq!(n(&witness.event().await), 0);
    let outcomes = ["deferred", "lost", "fresh", "recovered"];
    let mut counts = vec![];
    for outcome in outcomes {
        counts.push(gateway.metric(&format!("gateway_resumes_total{{outcome=\"{outcome}\"}}")).await);
    }
    // Each was welcomed for the time being; only who stayed was let in.
    assert_eq!(counts, [301.0, 1.0, 0.0, 0.0], "{outcomes:?}");
}

#[tokio::test]
async fn a_subscription_that_is_cut_again_and_again_loses_nothing() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut sessions = vec![];
    for _ in 0..5 {
        sessions.push(gateway.connect(&anna()).await);
    }
    let load = Load::start(*gateway, "acme");

    for _ in 0..5 {
        load.publishes_more(20).await;
        eventually("a subscription to cut", async || {
            let cut: u64 = redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
            if cut > 0 { Ok(()) } else { Err(cut) }
        })
        .await;
    }
    load.publishes_more(20).await;
    let count = load.finish().await;

    for session in &mut sessions {
        expect_whole_load(session, count).await;
    }
}

#[tokio::test]
async fn what_was_missed_while_the_link_was_cut_is_fetched_without_waiting_for_more() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let publishing = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    publishing.publish_numbered("acme", 0..3).await;
    session.events(3).await;

    for round in 1..=3 {
        gateway.pause();
        redis.command::<u64>(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        publishing.publish_numbered("acme", round * 3..round * 3 + 3).await;
        gateway.unpause();
        for number in round * 3..round * 3 + 3 {
            assert_eq!(n(&session.event_past_status().await), number);
        }
    }
}

#[tokio::test]
async fn a_gateway_that_was_paused_catches_up() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let publishing = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    // So little that a second of events is too much: Redis cuts the link off.
    redis.command::<String>(&["CONFIG", "SET", "client-output-buffer-limit", "pubsub 64kb 32kb 1"]).await;

    gateway.pause();
    publishing.publish_numbered("acme", 0..900).await;
    gateway.unpause();

    for number in 0..900 {
        assert_eq!(n(&session.event_past_status().await), number);
    }
}

#[tokio::test]
async fn command_connections_that_are_cut_double_nothing() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    let load = Load::start(*gateway, "acme");

    for _ in 0..10 {
        load.publishes_more(10).await;
        redis.command::<u64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    }
    let count = load.finish().await;

    expect_whole_load(&mut session, count).await;
    assert_eq!(redis.command::<u64>(&["XLEN", "{company:acme}:log"]).await, count);
}

#[tokio::test]
async fn a_redis_that_pauses_closes_no_session_and_doubles_nothing() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    let load = Load::start(*gateway, "acme");

    let mut other = gateway.connect(&Token::user("other", "bruno").sign()).await;

    load.publishes_more(20).await;
    redis.pause();
    // How long the pause is, not a wait for anything: longer than a publish may take, shorter than a lost link.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    other.send(&serde_json::json!({ "frame": "ping" })).await;
    assert_eq!(other.frame().await, ServerFrame::Pong {}, "the sessions are served meanwhile");
    redis.unpause();
    load.publishes_more(20).await;
    let count = load.finish().await;

    expect_whole_load(&mut session, count).await;
    assert_eq!(redis.command::<u64>(&["XLEN", "{company:acme}:log"]).await, count);
}

#[tokio::test]
async fn a_replica_without_a_log_of_its_own_memory_resumes_from_redis() {
    let redis = Redis::durable().await;
    let first = Launch::new().redis(&redis).start().await;
    let cursors = first.publish_numbered("acme", 0..50).await;
    drop(first);

    let second = Launch::new().redis(&redis).start().await;
    let mut back = second.connect_from(&anna(), cursors[9]).await;

    assert_eq!(back.welcome.resume, Resume::Recovered);
    assert_eq!(back.events(40).await.iter().map(n).collect::<Vec<_>>(), (10..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_poll_says_that_events_come_late_while_they_do() {
    let mut redis = Redis::durable().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut witness = gateway.connect(&anna()).await;
    let place = gateway.publish_numbered("acme", 0..1).await[0];
    witness.events(1).await;
    let poll = async |query: &str| gateway.get(&format!("/v1/poll?lastEventId={place}&{query}"), &anna()).await.json();
    assert_eq!(poll("wait=0").await.get("delivery"), None);

    let waiting = poll("wait=3");
    let cut = async {
        gateway.metric_becomes("gateway_connections{state=\"active\"}", 2.0).await;
        redis.kill();
        witness.expect_status(DeliveryState::Degraded).await;
    };
    assert_eq!(tokio::join!(waiting, cut).0["delivery"], "degraded", "also when it began before");
    assert_eq!(poll("wait=0").await["delivery"], "degraded");
    redis.launch().await;
    witness.expect_status(DeliveryState::Live).await;
    assert_eq!(poll("wait=0").await.get("delivery"), None);
}
