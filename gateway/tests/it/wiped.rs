//! Logs that lost something: wiped, cut at either end, or not ours. What cannot be proven is told, once; never silence.

use shared::{CompanyId, Cursor, Resume, ServerFrame, keys};

use crate::support::{Client, Launch, Load, Redis, Token, event, n};

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

fn log() -> String {
    keys::log(&CompanyId::parse("acme").unwrap())
}

/// Follows the session up to this event: each directly follows the one before, or a `resync`. How many of those came.
async fn resyncs_until(session: &mut Client, mut place: Cursor, last: Cursor) -> usize {
    let mut resyncs = 0;
    while place != last {
        match session.frame().await {
            ServerFrame::Event(event) => {
                assert!(event.id.follows(place), "{} came after {place}", event.id);
                place = event.id;
            }
            ServerFrame::Resync { last_event_id, .. } => {
                resyncs += 1;
                place = last_event_id;
            }
            ServerFrame::Status { .. } => {}
            other => panic!("{other:?} after {place}"),
        }
    }
    resyncs
}

#[tokio::test]
async fn a_redis_that_was_wiped_is_told_once_to_each_session() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut sessions = vec![gateway.connect(&anna()).await, gateway.connect(&anna()).await];
    let before = gateway.publish_numbered("acme", 0..5).await;

    redis.command::<String>(&["FLUSHALL"]).await;
    let reborn = gateway.publish_numbered("acme", 5..8).await;

    assert_eq!(reborn[0].seq, 1, "a new log was born");
    for session in &mut sessions {
        assert_eq!(session.events(5).await[4].id, before[4]);
        assert_eq!(resyncs_until(session, before[4], reborn[2]).await, 1);
    }
    let after = gateway.publish(&event("acme", "devis:signed", 8)).await;
    for session in &mut sessions {
        assert_eq!(session.event().await.id, after);
    }
}

#[tokio::test]
async fn a_redis_that_is_wiped_under_load_is_told_once_each_time() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut sessions = vec![gateway.connect(&anna()).await, gateway.connect(&anna()).await];
    let load = Load::start(*gateway, "acme");

    for _ in 0..3 {
        load.publishes_more(40).await;
        redis.command::<String>(&["FLUSHALL"]).await;
    }
    load.publishes_more(40).await;
    load.finish().await;
    let last = gateway.publish(&event("acme", "devis:signed", 0)).await;

    for session in &mut sessions {
        let start = session.welcome.last_event_id;
        assert_eq!(resyncs_until(session, start, last).await, 3);
    }
}

#[tokio::test]
async fn a_redis_that_forgets_when_it_restarts_is_told_once() {
    let mut redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut sessions = vec![gateway.connect(&anna()).await, gateway.connect(&anna()).await];
    let before = gateway.publish_numbered("acme", 0..10).await;
    for session in &mut sessions {
        session.events(10).await;
    }

    redis.kill();
    redis.launch().await;
    gateway.publish_when_possible(10).await;
    let last = gateway.publish_when_possible(11).await;

    for session in &mut sessions {
        assert_eq!(resyncs_until(session, before[9], last).await, 1);
    }
    let stale = gateway.connect_from(&anna(), before[4]).await;
    assert_eq!(stale.welcome.resume, Resume::Lost);
}

#[tokio::test]
async fn a_log_that_lost_its_newest_events_is_told() {
    let mut redis = Redis::durable().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    let kept = gateway.publish_numbered("acme", 0..5).await;
    let backup = redis.backup();
    let lost = gateway.publish_numbered("acme", 5..10).await;
    session.events(10).await;

    redis.kill();
    redis.restore(&backup);
    redis.launch().await;
    assert_eq!(session.frame().await, ServerFrame::Status { delivery: shared::DeliveryState::Degraded });
    let place = session.expect_resync().await;
    let next = gateway.publish_when_possible(10).await;

    assert_eq!(place, kept[4], "the place to go on from is the end of what is left");
    assert!(next.follows(place));
    assert_eq!(session.event_past_status().await.id, next);
    let ahead = gateway.connect_from(&anna(), lost[4]).await;
    assert_eq!(ahead.welcome.resume, Resume::Lost);
}

#[tokio::test]
async fn a_log_that_lost_its_newest_events_and_has_grown_beyond_them_is_told() {
    let mut redis = Redis::durable().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let publishing = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    publishing.publish_numbered("acme", 0..5).await;
    let backup = redis.backup();
    let lost = publishing.publish_numbered("acme", 5..10).await;
    session.events(10).await;

    // While the gateway sleeps the numbers of what was lost are given to other events, and more follow.
    gateway.pause();
    redis.kill();
    redis.restore(&backup);
    redis.launch().await;
    let mut last = publishing.publish_when_possible(10).await;
    assert_eq!(last, lost[0], "the number is used again");
    for number in 11..18 {
        last = publishing.publish_when_possible(number).await;
    }
    gateway.unpause();

    assert_eq!(resyncs_until(&mut session, lost[4], last).await, 1);
}

#[tokio::test]
async fn an_entry_of_the_log_that_is_no_event_is_a_hole() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    let first = gateway.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&session.event().await), 1);

    let foreign = Cursor { seq: first.seq + 1, ..first };
    redis.command::<String>(&["XADD", &log(), &foreign.to_string(), "who", "knows"]).await;
    let last = gateway.publish(&event("acme", "devis:signed", 3)).await;

    assert!(last.follows(foreign));
    assert_eq!(resyncs_until(&mut session, first, last).await, 1);
    let from_before = gateway.connect_from(&anna(), first).await;
    assert_eq!(from_before.welcome.resume, Resume::Lost);
}

#[tokio::test]
async fn a_log_that_is_no_stream_harms_its_company_alone() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    redis.command::<String>(&["SET", "{company:broken}:log", "not a stream"]).await;

    let response = gateway.try_publish(&event("broken", "devis:signed", 1)).await;
    assert!(response.status >= 500, "{response:?}");
    let token = Token::user("broken", "anna").sign();
    assert!(gateway.get("/v1/events", &token).await.status >= 500);
    assert_eq!(gateway.knock(&token).await.status, 101, "it waits for its welcome");

    let mut session = gateway.connect(&anna()).await;
    let last = gateway.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(session.event().await.id, last);
}

#[tokio::test]
async fn a_log_that_was_wiped_while_nobody_listened_is_lost_once() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let old = gateway.publish_numbered("acme", 0..5).await;

    redis.command::<u64>(&["DEL", "{company:acme}:log"]).await;
    let mut gone = gateway.connect_from(&anna(), old[4]).await;
    assert_eq!(gone.welcome.resume, Resume::Lost);
    let reborn = gateway.publish_numbered("acme", 10..20).await;
    let late = gateway.connect_from(&anna(), old[2]).await;

    assert_eq!(gone.events(10).await.iter().map(n).collect::<Vec<_>>(), (10..20).collect::<Vec<_>>());
    assert_eq!((late.welcome.resume, late.welcome.last_event_id), (Resume::Lost, reborn[9]));
}

#[tokio::test]
async fn a_log_that_was_wiped_under_a_room_that_lingers_is_lost_once() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let old = gateway.publish_numbered("acme", 0..5).await;
    drop(gateway.connect(&anna()).await);

    redis.command::<u64>(&["DEL", "{company:acme}:log"]).await;
    let mut back = gateway.connect_from(&anna(), old[4]).await;
    let reborn = gateway.publish_numbered("acme", 10..12).await;

    // Nobody may know of the wipe before the next event; then it is told, if it was not told at the handshake.
    let mut place = back.welcome.last_event_id;
    if back.welcome.resume == Resume::Recovered {
        place = back.expect_resync().await;
    }
    while place != reborn[1] {
        let event = back.event().await;
        assert!(event.id.follows(place), "{} came after {place}", event.id);
        place = event.id;
    }
}
