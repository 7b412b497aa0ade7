//! A replica that goes away sends its sessions elsewhere one by one, and takes no new ones.

use serde_json::json;
use shared::{CloseCode, ServerFrame};

use crate::support::{
    Backplane, Client, Launch, Polled, RawSession, Redis, Request, Response, Token, eventually, on_both_backplanes,
};

on_both_backplanes![
    each_session_has_a_moment_of_its_own,
    who_comes_meanwhile_is_sent_elsewhere,
    it_ends_as_soon_as_the_last_has_left,
    a_hanging_poll_is_answered_and_a_stream_told,
    an_old_session_is_asked_to_reconnect,
];

const ACTIVE: &str = "gateway_connections{state=\"active\"}";
const DRAINING: &str = "gateway_connections{state=\"draining\"}";

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

/// Longer than any test: who does not leave by itself would be seen.
fn long() -> Launch {
    Launch::new().set("GATEWAY_DRAIN_SECS", "600")
}

/// The next frame, which must ask to reconnect; after how long, and why.
async fn expect_reconnect(session: &mut Client) -> (u64, String) {
    match session.frame().await {
        ServerFrame::Reconnect { after_ms, reason } => (after_ms, reason),
        other => panic!("a reconnect was to come, not {other:?}"),
    }
}

async fn each_session_has_a_moment_of_its_own(backplane: Backplane) {
    const SESSIONS: u64 = 40;
    let launch = Launch::new().set("GATEWAY_DRAIN_SECS", "4").set("GATEWAY_WORKERS", "1");
    let mut site = backplane.start_with(launch).await;
    let mut sessions = vec![];
    for number in 0..SESSIONS {
        sessions.push(site.connect(&Token::user(&format!("c{}", number % 3), "anna").sign()).await);
    }

    site.gateway.terminate();

    let mut moments = vec![];
    for session in &mut sessions {
        let (moment, reason) = expect_reconnect(session).await;
        assert_eq!(reason, "drain");
        moments.push(moment);
    }
    moments.sort_unstable();
    // The last second is for those who are late.
    let step = 3_000 / SESSIONS;
    assert!(moments[0] <= step, "{moments:?}");
    for pair in moments.windows(2) {
        assert!((step - 1..=step + 1).contains(&(pair[1] - pair[0])), "not even: {moments:?}");
    }
    // None of them leaves.
    for session in &mut sessions {
        assert_eq!(session.expect_close().await, CloseCode::Restart.code());
    }
    assert_eq!(site.gateway.exit().await.code(), Some(0));
}

fn expect_draining(response: &Response) {
    response.expect_problem(503, "draining");
    let retry_after = response.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(retry_after.is_some_and(|seconds| seconds > 0), "{response:?}");
}

async fn who_comes_meanwhile_is_sent_elsewhere(backplane: Backplane) {
    let site = backplane.start_with(long()).await;
    let mut sessions = [site.connect(&anna()).await, site.connect(&anna()).await];
    let kept = Request::get("/v1/events").bearer(&anna()).header("Connection", "keep-alive");
    assert_ne!(site.send(kept).await.header("connection"), Some("close"));

    site.gateway.terminate();

    let unready = eventually("it is unready", async || match site.admin_get("/readyz").await {
        ready if ready.status == 200 => Err(ready.body),
        unready => Ok(unready),
    })
    .await;
    assert_eq!((unready.status, unready.body.as_str()), (503, "draining\n"));
    expect_draining(&site.knock(&anna()).await);
    for path in ["/v1/sse", "/v1/poll", "/v1/poll?wait=0"] {
        expect_draining(&site.get(path, &anna()).await);
    }
    // Who keeps a connection for its requests would otherwise come back to this replica with each of them.
    for path in ["/v1/poll", "/v1/events"] {
        let kept = Request::get(path).bearer(&anna()).header("Connection", "keep-alive");
        assert_eq!(site.send(kept).await.header("connection"), Some("close"), "{path}");
    }
    assert_eq!((site.metric(ACTIVE).await, site.metric(DRAINING).await), (0.0, 2.0));
    site.metric_becomes("gateway_sessions_moving", 2.0).await;
    assert_eq!(site.metric("gateway_ready").await, 0.0);
    assert_eq!(site.metric("gateway_moves_asked_total{reason=\"drain\"}").await, 2.0);
    assert_eq!(site.metric("gateway_drain_progress_ratio").await, 0.0);

    // Who is here is served to the last.
    for session in &mut sessions {
        expect_reconnect(session).await;
    }
    site.publish_numbered("acme", 0..3).await;
    for session in &mut sessions {
        session.events(3).await;
    }
    let [one, _other] = sessions;
    one.close().await;
    eventually("progress", async || match site.metric("gateway_drain_progress_ratio").await {
        half if (half - 0.5).abs() < 0.01 => Ok(()),
        other => Err(other),
    })
    .await;
}

async fn it_ends_as_soon_as_the_last_has_left(backplane: Backplane) {
    let mut site = backplane.start_with(long()).await;
    let mut sessions = vec![];
    for _ in 0..3 {
        sessions.push(site.connect(&anna()).await);
    }

    site.gateway.terminate();

    for mut session in sessions {
        expect_reconnect(&mut session).await;
        session.close().await;
    }
    assert_eq!(site.gateway.exit().await.code(), Some(0));
}

async fn a_hanging_poll_is_answered_and_a_stream_told(backplane: Backplane) {
    let mut site = backplane.start_with(Launch::new().set("GATEWAY_DRAIN_SECS", "2")).await;
    let place = site.publish_numbered("acme", 0..1).await[0];
    let mut poll = RawSession::silent(&site).await;
    let request = Request::get(&format!("/v1/poll?wait=55&lastEventId={place}")).bearer(&anna());
    poll.send(&request.encode(site.public)).await;
    let mut stream = site.stream(&anna()).await;
    site.metric_becomes(ACTIVE, 2.0).await;

    site.gateway.terminate();

    let polled = Polled::of(&poll.expect_answer().await);
    assert_eq!((polled.events.len(), polled.last_event_id), (0, place));
    let ServerFrame::Reconnect { .. } = stream.next().await.frame else { panic!("no reconnect") };
    stream.expect_end().await;
    assert_eq!(site.gateway.exit().await.code(), Some(0));
}

async fn an_old_session_is_asked_to_reconnect(backplane: Backplane) {
    let site = backplane.start_with(Launch::new().set("GATEWAY_MAX_SESSION_SECS", "2")).await;
    let mut polite = site.connect(&anna()).await;
    let mut rude = site.connect(&anna()).await;
    let mut stream = site.stream(&anna()).await;

    let (after_ms, reason) = expect_reconnect(&mut polite).await;
    assert!(after_ms < 1_000, "{after_ms}");
    assert_eq!(reason, "age");
    polite.close().await;
    let ServerFrame::Reconnect { .. } = stream.next().await.frame else { panic!("no reconnect") };
    stream.expect_end().await;
    assert_eq!(rude.expect_close().await, CloseCode::Restart.code());
    assert_eq!(site.metric("gateway_moves_asked_total{reason=\"age\"}").await, 3.0);
    site.metric_becomes("gateway_sessions_moving", 0.0).await;
    assert_eq!(site.admin_get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_post_drains_as_a_signal_does() {
    let mut gateway = Launch::new().set("GATEWAY_DRAIN_SECS", "600").start().await;
    let mut session = gateway.connect(&anna()).await;
    let post = Request::new("POST", "/drain");

    let page = gateway.admin_send(&post.clone().header("Origin", "http://localhost:3000")).await;
    page.expect_problem(403, "origin_not_allowed");
    gateway.admin_send(&Request::get("/drain")).await.expect_problem(405, "method_not_allowed");
    assert_eq!(gateway.admin_get("/readyz").await.status, 200);

    assert_eq!(gateway.admin_send(&post).await.status, 202);
    assert_eq!(gateway.admin_get("/readyz").await.status, 503);
    expect_reconnect(&mut session).await;
    assert_eq!(gateway.admin_send(&post).await.status, 202, "it may be asked again");
    // An orchestrator sends its signal behind the request: that is the first one, and cuts nobody off.
    gateway.terminate();
    session.send(&json!({ "frame": "ping" })).await;
    assert_eq!(session.frame().await, ServerFrame::Pong {});
    session.close().await;
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    // Whether Redis is there makes no difference.
    for redis in [None, Some(Redis::absent())] {
        let launch = match &redis {
            None => long(),
            Some(redis) => long().redis(redis),
        };
        let mut gateway = launch.start().await;
        let mut session = gateway.connect(&anna()).await;
        gateway.terminate();
        while !matches!(session.frame().await, ServerFrame::Reconnect { .. }) {}

        gateway.terminate();

        assert_eq!(gateway.exit().await.code(), Some(0));
    }
}
