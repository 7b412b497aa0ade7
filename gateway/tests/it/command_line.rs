//! The program's other faces: `--help`, `gateway token`, `--dev`.

use crate::support::{Launch, Request, SECRET};

#[tokio::test]
async fn help_documents_every_variable_and_no_secret() {
    let output = Launch::new().arguments(&["--help"]).run().await;
    let help = String::from_utf8(output.stdout).unwrap();

    assert_eq!(output.status.code(), Some(0));
    for variable in [
        "GATEWAY_LISTEN",
        "GATEWAY_ADMIN_LISTEN",
        "GATEWAY_REDIS_URL",
        "GATEWAY_JWT_SECRET",
        "GATEWAY_JWT_SECRET_FILE",
        "GATEWAY_JWT_PUBLIC_KEY_FILE",
        "GATEWAY_JWT_ISSUER",
        "GATEWAY_JWT_AUDIENCE",
        "GATEWAY_ALLOWED_ORIGINS",
        "GATEWAY_MAX_CONNECTIONS",
        "GATEWAY_MAX_CONNECTIONS_PER_COMPANY",
        "GATEWAY_MAX_CONNECTIONS_PER_USER",
        "GATEWAY_CONNECTS_PER_SECOND",
        "GATEWAY_PUBLISHES_PER_SECOND",
        "GATEWAY_REDIS_CA_FILE",
        "GATEWAY_REDIS_CERT_FILE",
        "GATEWAY_REDIS_KEY_FILE",
        "GATEWAY_HEARTBEAT_SECS",
        "GATEWAY_DRAIN_SECS",
        "GATEWAY_STATIC_DIR",
        "GATEWAY_WORKERS",
        "GATEWAY_LOG",
        "GATEWAY_LOG_FORMAT",
    ] {
        assert!(help.contains(variable), "{variable} is not in:\n{help}");
    }
    for default in ["0.0.0.0:8080", "127.0.0.1:9090"] {
        assert!(help.contains(default), "{default} is not in:\n{help}");
    }
    assert!(!help.contains(SECRET), "the secret of this run is in:\n{help}");
}

#[tokio::test]
async fn an_unknown_flag_ends_with_code_2() {
    let output = Launch::new().arguments(&["--no-such-flag"]).run().await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// What `gateway token` prints with these arguments.
async fn token(arguments: &[&str]) -> String {
    let output = Launch::new().arguments(&["token"]).arguments(arguments).run().await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.trim_end().lines().count(), 1, "nothing but the token: {printed}");
    printed.trim_end().to_owned()
}

#[tokio::test]
async fn a_printed_token_is_accepted() {
    let gateway = Launch::new().start().await;
    let anna =
        token(&["--company", "acme", "--user", "anna", "--role", "boss", "--events", "devis:*", "--ttl", "10m"]).await;
    let service = token(&["--company", "acme", "--user", "billing", "--scope", "publish"]).await;

    let mut session = gateway.connect(&anna).await;
    for event_type in ["facture:paid", "devis:signed"] {
        let body = crate::support::event("acme", event_type, 1);
        let published = gateway.post("/v1/events", &service, &body).await;
        assert_eq!(published.status, 200, "{published:?}");
    }

    assert_eq!(session.event().await.r#type.as_str(), "devis:signed");
    let ttl = (session.welcome.token_expires_at - chrono::Utc::now()).num_seconds();
    assert!((580..=600).contains(&ttl), "{ttl} s are not ten minutes");
}

#[tokio::test]
async fn a_token_is_printed_for_what_a_gateway_would_accept_alone() {
    for arguments in [
        &["--user", "anna"][..],
        &["--company", "acme"],
        &["--company", "ac me", "--user", "anna"],
        &["--company", "acme", "--user", "anna", "--ttl", "soon"],
        &["--company", "acme", "--user", "anna", "--events", "devis signed"],
    ] {
        let output = Launch::new().arguments(&["token"]).arguments(arguments).run().await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[tokio::test]
async fn a_development_gateway_starts_without_a_key_and_says_so() {
    let launch = Launch::new().unset("GATEWAY_JWT_SECRET").arguments(&["--dev"]);
    let gateway = launch.start().await;

    let loud =
        gateway.log().into_iter().find(|line| line.contains("\"WARN\"") && line.to_lowercase().contains("development"));
    assert!(loud.is_some(), "no warning about --dev: {:#?}", gateway.log());
    let knock = |origin: &str| gateway.send(Request::upgrade("/v1/ws").header("Origin", origin));
    knock("http://localhost:5173").await.expect_problem(401, "unauthorized");
    knock("http://localhost.evil.example:5173").await.expect_problem(403, "origin_not_allowed");
    knock("https://app.example.com").await.expect_problem(403, "origin_not_allowed");
}

#[tokio::test]
async fn a_development_gateway_makes_a_new_secret_for_each_run() {
    let launch = Launch::new().unset("GATEWAY_JWT_SECRET").arguments(&["--dev"]);
    let gateway = launch.start().await;
    let guess = crate::support::Token::user("acme", "anna").sign();
    gateway.knock(&guess).await.expect_problem(401, "unauthorized");
}
