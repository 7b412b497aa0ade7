//! What an operator sees: probes, the gauges for autoscaling, and the cap.

use crate::support::{Backplane, Launch, Opcode, RawSession, Token, event, on_both_backplanes};

on_both_backplanes![the_gauge_is_the_number_of_sessions,];

const ACTIVE: &str = "gateway_connections{state=\"active\"}";

async fn the_gauge_is_the_number_of_sessions(backplane: Backplane) {
    let site = backplane.start().await;
    site.metric_becomes(ACTIVE, 0.0).await;
    assert!(site.metric("gateway_connections_limit").await > 0.0, "a limit comes from that of open files");

    let mut sessions = vec![];
    for company in ["acme", "acme", "bati", "other", "acme", "bati", "acme"] {
        sessions.push(site.connect(&Token::user(company, "anna").sign()).await);
    }
    site.metric_becomes(ACTIVE, 7.0).await;
    site.knock("refused").await.expect_problem(401, "unauthorized");
    site.metric_becomes(ACTIVE, 7.0).await;
    sessions.truncate(3);
    site.metric_becomes(ACTIVE, 3.0).await;
    for session in sessions {
        session.close().await;
    }
    site.metric_becomes(ACTIVE, 0.0).await;
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_let_go() {
    let gateway = Launch::new().set("GATEWAY_HEARTBEAT_SECS", "1").start().await;
    let token = Token::user("acme", "anna").sign();
    let mut alive = gateway.connect(&token).await;
    let mut mute = RawSession::open(&gateway, &token).await;
    assert_eq!(alive.welcome.heartbeat_ms, 1_000);

    assert_eq!(mute.expect(Opcode::Text).await.text(), r#"{"frame":"heartbeat"}"#);
    mute.expect(Opcode::Ping).await;
    gateway.metric_becomes(ACTIVE, 1.0).await;

    let id = gateway.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(alive.event().await.id, id);
}

#[tokio::test]
async fn beyond_the_cap_a_session_is_refused_and_the_replica_is_unready() {
    let gateway = Launch::new().set("GATEWAY_MAX_CONNECTIONS", "2").start().await;
    let token = Token::user("acme", "anna").sign();
    assert_eq!(gateway.admin_get("/readyz").await.status, 200);
    assert_eq!(gateway.metric("gateway_connections_limit").await.to_string(), "2");
    let first = gateway.connect(&token).await;
    let _second = gateway.connect(&token).await;

    let refused = gateway.knock(&token).await;

    refused.expect_problem(503, "overloaded");
    let retry_after = refused.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(retry_after.is_some_and(|seconds| seconds > 0), "{refused:?}");
    assert_eq!(gateway.admin_get("/readyz").await.status, 503);
    assert_eq!(gateway.admin_get("/livez").await.status, 200);

    first.close().await;
    gateway.metric_becomes(ACTIVE, 1.0).await;
    assert_eq!(gateway.admin_get("/readyz").await.status, 200);
    gateway.connect(&token).await;
}

#[tokio::test]
async fn the_admin_listener_answers_probes_and_nothing_else() {
    let gateway = Launch::new().start().await;
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(gateway.admin_get(path).await.status, 200, "{path}");
    }
    for path in ["/", "/v1/ws", "/v1/events"] {
        assert_eq!(gateway.admin_get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn no_metric_names_a_company_or_a_user() {
    let gateway = Launch::new().start().await;
    let mut session = gateway.connect(&Token::user("very-own-company", "very-own-user").sign()).await;
    gateway.publish_numbered("very-own-company", 0..3).await;
    session.events(3).await;

    let metrics = gateway.admin_get("/metrics").await;

    assert!(metrics.header("content-type").is_some_and(|value| value.starts_with("text/plain")), "{metrics:?}");
    assert!(!metrics.body.contains("very-own"), "{}", metrics.body);
    let series = metrics.body.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in series {
        assert!(line.starts_with("gateway_") || line.starts_with("process_"), "{line}");
    }
    assert!(!gateway.log().iter().any(|line| line.contains("eyJ")), "a token is in the log: {:#?}", gateway.log());
}
