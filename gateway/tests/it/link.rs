//! The gateway's two connections to Redis, each of which can fail without the other. It takes several probes to find
//! out, so these run with whatever else takes its time (`after_a_while`).

use std::time::Duration;

use shared::{DeliveryState, Resume, ServerFrame};
use tokio::time::Instant;

use crate::support::{Client, Launch, Proxy, Redis, Token, eventually, n, timed};

const PROBE_AGE: &str = "gateway_delivery_probe_age_seconds";

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

pub(super) async fn a_deaf_link_is_replaced_and_nothing_is_lost() {
    let redis = Redis::start().await;
    let proxy = Proxy::before(&redis).await;
    let gateway = Launch::new().set("GATEWAY_REDIS_URL", &proxy.url()).start().await;
    let publishing = Launch::new().redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    let mut stream = gateway.stream(&anna()).await;
    publishing.publish_numbered("acme", 0..3).await;
    session.events(3).await;
    stream.events(3).await;

    proxy.deafen();
    let deafened = Instant::now();
    publishing.publish_numbered("acme", 3..6).await;
    eventually("an old probe", async || match gateway.metric(PROBE_AGE).await {
        age if age > 4.0 => Ok(()),
        age => Err(age),
    })
    .await;
    publishing.publish_numbered("acme", 6..9).await;

    session.expect_status(DeliveryState::Degraded).await;
    let numbers = numbers_until_live(&mut session).await;
    assert!(deafened.elapsed() < Duration::from_secs(12), "it took {:?}", deafened.elapsed());
    assert_eq!(numbers, [3, 4, 5, 6, 7, 8]);
    assert_eq!(stream.next().await.frame, ServerFrame::Status { delivery: DeliveryState::Degraded });
    assert_eq!(stream.events(6).await.iter().map(n).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8]);
    assert_eq!(stream.next().await.frame, ServerFrame::Status { delivery: DeliveryState::Live });

    // The new link delivers, and proves it.
    publishing.publish_numbered("acme", 9..11).await;
    assert_eq!(session.events(2).await.iter().map(n).collect::<Vec<_>>(), [9, 10]);
    assert_eq!(stream.events(2).await.iter().map(n).collect::<Vec<_>>(), [9, 10]);
    eventually("a new probe", async || match gateway.metric(PROBE_AGE).await {
        age if age < 1.0 => Ok(()),
        age => Err(age),
    })
    .await;
}

/// The events that come before the session is told that it has caught up.
async fn numbers_until_live(session: &mut Client) -> Vec<u64> {
    let mut numbers = vec![];
    loop {
        match session.frame().await {
            ServerFrame::Event(event) => numbers.push(n(&event)),
            ServerFrame::Status { delivery: DeliveryState::Live } => return numbers,
            other => panic!("{other:?} after {numbers:?}"),
        }
    }
}

/// A probe interval is 3 s; reconnecting and a busy machine take the rest.
const SOON: Duration = Duration::from_secs(7);

pub(super) async fn a_command_connection_that_is_cut_is_replaced_within_seconds() {
    let redis = Redis::start().await;
    let gateway = Launch::new().redis(&redis).start().await;
    let publishing = Launch::new().redis(&redis).start().await;
    let mut witness = gateway.connect(&Token::user("other", "bruno").sign()).await;

    for company in ["acme", "bati"] {
        let token = Token::user(company, "anna").sign();
        let cursors = publishing.publish_numbered(company, 0..20).await;
        redis.command::<u64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;

        let cut = Instant::now();
        // The gateway remembers nothing of this company: each resume needs the log.
        let mut back = gateway.connect_from(&token, cursors[4]).await;
        assert_eq!(back.welcome.resume, Resume::Recovered);
        for number in 5..20 {
            assert_eq!(n(&back.event_past_status().await), number);
        }
        let history = eventually("a first paint", async || match gateway.get("/v1/events", &token).await {
            response if response.status == 200 => Ok(response.json()),
            response => Err(response.problem_code()),
        });
        assert_eq!(history.await["events"].as_array().map(Vec::len), Some(20));
        assert!(cut.elapsed() < SOON, "it took {:?}", cut.elapsed());
        let (polled, took) = timed(gateway.poll_now(cursors[1], &token)).await;
        assert_eq!(polled.numbers(), (2..20).collect::<Vec<_>>());
        assert!(took < SOON, "it took {took:?}");
    }
    gateway.publish_when_possible(20).await;
    publishing.publish_numbered("other", 0..1).await;
    assert_eq!(n(&witness.event_past_status().await), 0);
}
