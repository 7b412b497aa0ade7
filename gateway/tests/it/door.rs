//! What strangers meet before anybody looks at who they are: time, size, number.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{net::TcpStream, time::sleep};

use crate::support::{Gateway, Launch, RawSession, Redis, Request, Token, event, eventually, n};

fn rejected(reason: &str) -> String {
    format!("gateway_handshakes_rejected_total{{reason=\"{reason}\"}}")
}

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

#[tokio::test]
async fn a_storm_of_connects_is_spread() {
    let gateway = Launch::new().set("GATEWAY_CONNECTS_PER_SECOND", "1").start().await;
    let token = anna();
    let answers = join_all((0..20).map(|_| gateway.knock(&token))).await;

    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 101).collect();
    assert!((10..20).contains(&refused.len()), "{answers:?}");
    for answer in refused {
        answer.expect_problem(503, "overloaded");
        let retry_after = answer.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
        assert!(retry_after.is_some_and(|seconds| (1..=10).contains(&seconds)), "{answer:?}");
    }
    assert!(gateway.metric(&rejected("connect_rate")).await >= 10.0);
    eventually("room for one more", async || match gateway.knock(&token).await.status {
        101 => Ok(()),
        status => Err(status),
    })
    .await;
}

#[tokio::test]
async fn every_transport_comes_through_the_same_door_and_a_token_is_not_looked_at_before() {
    let gateway = Launch::new().set("GATEWAY_CONNECTS_PER_SECOND", "1").start().await;
    for path in ["/v1/ws", "/v1/sse", "/v1/poll?wait=0"] {
        let request = || match path {
            "/v1/ws" => Request::upgrade(path),
            _ => Request::get(path),
        };
        eventually("a refusal", async || {
            let answer = gateway.send(request().bearer("not.a.token")).await;
            match (answer.status, answer.problem_code().as_str()) {
                (503, "overloaded") => Ok(()),
                (401, "unauthorized") => Err(path),
                _ => panic!("{path}: {answer:?}"),
            }
        })
        .await;
    }
    gateway.get("/v1/events", "not.a.token").await.expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn who_does_not_say_what_they_want_is_not_waited_for() {
    let gateway = Launch::new().start().await;
    let mut silent = RawSession::silent(&gateway).await;
    let mut slow = RawSession::silent(&gateway).await;
    let upgrade = Request::upgrade("/v1/ws").bearer(&anna()).encode(gateway.public);

    slow.send(&upgrade[..upgrade.len() - 2]).await;

    for client in [&mut silent, &mut slow] {
        assert_eq!(client.expect_answer().await.status, 408);
    }
    gateway.metric_becomes(&rejected("slow_request"), 2.0).await;
    assert_eq!(gateway.knock(&anna()).await.status, 101);
}

#[tokio::test]
async fn who_spoke_while_the_gateway_was_out_of_breath_is_not_late() {
    let gateway = Launch::new().start().await;
    let token = anna();
    let upgrade = Request::upgrade("/v1/ws").bearer(&token).encode(gateway.public);
    // The gateway has begun to wait for some, and has not seen the others.
    let mut clients = join_all((0..20).map(|_| RawSession::silent(&gateway))).await;
    assert_eq!(gateway.knock(&token).await.status, 101);
    gateway.pause();
    clients.extend(join_all((0..20).map(|_| RawSession::silent(&gateway))).await);
    for client in &mut clients {
        client.send(&upgrade).await;
    }
    // Longer than a head may take.
    sleep(Duration::from_secs(7)).await;
    gateway.unpause();

    for client in &mut clients {
        client.expect_upgrade().await;
    }
    assert!(gateway.metric(&rejected("slow_request")).await < 0.5);
}

#[tokio::test]
async fn who_does_not_end_a_body_does_not_keep_the_socket() {
    let gateway = Launch::new().start().await;
    let cases = [
        (b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab".to_vec(), 401),
        (b"POST /v1/nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), 404),
        (b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab".to_vec(), 200),
    ];
    for (request, status) in cases {
        let mut client = RawSession::silent(&gateway).await;
        client.send(&request).await;
        assert_eq!(client.expect_answer().await.status, status);
        assert!(client.try_answer().await.is_none(), "{status}: it is still open");
    }
    let mut client = RawSession::silent_at(gateway.admin).await;
    client.send(b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab").await;
    assert_eq!(client.expect_answer().await.status, 200);
    assert!(client.try_answer().await.is_none(), "the admin listener's is still open");
    // Who ends it may go on.
    let event = event("acme", "devis:signed", 1).to_string();
    let whole = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{event}\r\n0\r\n\r\n",
        Token::service("*").sign(),
        event.len()
    );
    let mut client = RawSession::silent(&gateway).await;
    for _ in 0..2 {
        client.send(whole.as_bytes()).await;
        assert_eq!(client.expect_answer().await.status, 200);
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_or_none_is_refused() {
    let gateway = Launch::new().start().await;
    let large = Request::upgrade("/v1/ws").bearer(&anna()).header("X-Large", &"x".repeat(150_000));
    let many = (0..97).fold(Request::upgrade("/v1/ws"), |request, number| request.header(&format!("X-{number}"), "x"));

    for (what, request) in [("large", large), ("many", many)] {
        assert_eq!(gateway.send(request).await.status, 431, "{what}");
    }
    gateway.metric_becomes(&rejected("head_too_large"), 2.0).await;
    for garbage in
        ["\u{16}\u{3}\u{1}\u{2}\0\u{1}\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "GET /v1/ws HTTP/9.9\r\n\r\n"]
    {
        let mut client = RawSession::silent(&gateway).await;
        client.send(garbage.as_bytes()).await;
        assert_eq!(client.expect_answer().await.status, 400, "{garbage:?}");
    }
    gateway.metric_becomes(&rejected("malformed"), 3.0).await;
}

/// Opens so many sockets that the gateway runs out of descriptors, again and again; nobody says a word.
async fn crowd(gateway: &Gateway) -> Vec<TcpStream> {
    let address = gateway.public;
    let sockets = join_all((0..400).map(|_| TcpStream::connect(address))).await;
    sockets.into_iter().filter_map(Result::ok).collect()
}

#[tokio::test]
async fn who_is_inside_is_served_while_the_descriptors_run_out() {
    let redis = Redis::start().await;
    let crowded = Launch::new().redis(&redis).descriptors(256).start().await;
    let elsewhere = Launch::new().redis(&redis).start().await;
    assert!(crowded.metric("gateway_connections_limit").await < 200.0, "it knows how few there are");
    let mut anna = crowded.connect(&self::anna()).await;

    for number in 1..4 {
        let outside = crowd(&crowded).await;
        elsewhere.publish(&event("acme", "devis:signed", number)).await;

        assert_eq!(n(&anna.event().await), number);
        // Probes and metrics are asked over new connections.
        assert_eq!(crowded.admin_get("/livez").await.status, 200);
        assert!(crowded.metric(&rejected("descriptors")).await > 0.0);
        drop(outside);
    }
    eventually("a session", async || {
        let mut client = RawSession::silent(&crowded).await;
        client.send(&Request::upgrade("/v1/ws").bearer(&self::anna()).encode(crowded.public)).await;
        match client.try_answer().await {
            Some(answer) if answer.status == 101 => Ok(()),
            answer => Err(format!("{answer:?}")),
        }
    })
    .await;
}
