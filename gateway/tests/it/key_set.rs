//! Keys that are fetched: chosen by `kid`, renewed without a restart, and never those that a stranger offers.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use shared::{CloseCode, ServerFrame};
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::{Answer, Gateway, KeyPair, KeyServer, Launch, TlsServer, Token, event, eventually, n, timed};

const READY: &str = "gateway_key_fetches_total{result=\"ok\"}";

fn anna() -> Token {
    Token::user("acme", "anna")
}

async fn start(server: &KeyServer) -> Gateway {
    Launch::new().key_set(&server.url()).start().await
}

async fn refused_by(gateway: &Gateway, reason: &str) -> f64 {
    gateway.metric(&format!("gateway_handshakes_rejected_total{{reason=\"{reason}\"}}")).await
}

#[tokio::test]
async fn keys_of_each_family_are_chosen_by_their_kid() {
    let families = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
    let pairs = families.map(KeyPair::generate);
    let mut keys: Vec<Value> =
        families.iter().zip(&pairs).map(|(algorithm, pair)| pair.jwk(&format!("{algorithm:?}"), *algorithm)).collect();
    let secret = "a secret that everybody can fetch, of more than thirty-two bytes";
    keys.push(
        json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "k": "YSBzZWNyZXQgdGhhdCBldmVyeWJvZHkgY2FuIGZldGNo" }),
    );
    let mut for_encryption = pairs[0].jwk("encryption", Algorithm::RS256);
    for_encryption["use"] = json!("enc");
    keys.push(for_encryption);
    let server = KeyServer::start(Answer::keys(&keys)).await;
    let gateway = start(&server).await;

    for (algorithm, pair) in families.iter().zip(&pairs) {
        let token = anna().sign_as(&format!("{algorithm:?}"), *algorithm, &pair.private);
        assert_eq!(gateway.knock(&token).await.status, 101, "{algorithm:?}");
    }
    let hmac = |key: &[u8]| EncodingKey::from_secret(key);
    for (what, token) in [
        ("another's kid", anna().sign_as("ES256", Algorithm::RS256, &pairs[0].private)),
        ("another algorithm of the family", anna().sign_as("RS256", Algorithm::PS256, &pairs[0].private)),
        ("no kid", anna().sign_with(Algorithm::RS256, &pairs[0].private)),
        ("a key that is not for signatures", anna().sign_as("encryption", Algorithm::RS256, &pairs[0].private)),
        (
            "a symmetric key of the set",
            anna().sign_as("oct", Algorithm::HS256, &hmac(b"a secret that everybody can fetch")),
        ),
        ("a symmetric key of another kid", anna().sign_as("RS256", Algorithm::HS256, &hmac(secret.as_bytes()))),
        ("HS256 with the public key", {
            let pem = std::fs::read(&pairs[0].public_file).unwrap();
            anna().sign_as("RS256", Algorithm::HS256, &hmac(&pem))
        }),
        ("an empty kid", anna().sign_as("", Algorithm::RS256, &pairs[0].private)),
        ("alg none", anna().unsigned("")),
    ] {
        gateway.knock(&token).await.expect_problem(401, "unauthorized");
        gateway.get("/v1/sse", &token).await.expect_problem(401, "unauthorized");
        gateway.get("/v1/poll?wait=0", &token).await.expect_problem(401, "unauthorized");
        eprintln!("refused: {what}");
    }
    assert_eq!(server.asked(), 1, "within half a minute nobody makes it ask again");
}

#[tokio::test]
async fn a_key_that_the_token_brings_along_is_not_looked_at() {
    let (ours, evil) = (KeyPair::generate(Algorithm::ES256), KeyPair::generate(Algorithm::ES256));
    let server = KeyServer::start(Answer::keys(&[ours.jwk("ours", Algorithm::ES256)])).await;
    let trap = KeyServer::start(Answer::keys(&[evil.jwk("ours", Algorithm::ES256)])).await;
    let gateway = start(&server).await;

    for (kid, reason) in
        [(Some("ours"), "token_signature"), (Some("evil"), "token_unknown_key"), (None, "token_signature")]
    {
        let mut header = json!({
            "typ": "JWT", "alg": "ES256", "jku": trap.url(), "x5u": trap.url(), "jwk": evil.jwk("ours", Algorithm::ES256),
        });
        if let Some(kid) = kid {
            header["kid"] = json!(kid);
        }
        let token = crate::support::forge(&header.to_string(), &anna().text(), Algorithm::ES256, &evil.private);
        let before = refused_by(&gateway, reason).await;
        gateway.knock(&token).await.expect_problem(401, "unauthorized");
        assert_eq!(refused_by(&gateway, reason).await, before + 1.0, "{kid:?}");
    }
    assert_eq!(trap.asked(), 0);
    assert_eq!(
        gateway.knock(&anna().sign_with(Algorithm::ES256, &ours.private)).await.status,
        101,
        "the only key needs no kid"
    );
}

/// Half a minute lies between two fetches that tokens may cause.
#[tokio::test]
async fn a_new_key_is_fetched_when_it_is_met_and_strangers_make_nobody_fetch() {
    let (old, new) = (KeyPair::generate(Algorithm::ES256), KeyPair::generate(Algorithm::EdDSA));
    let server = KeyServer::start(Answer::keys(&[old.jwk("old", Algorithm::ES256)])).await;
    let gateway = Launch::new().key_set(&server.url()).set("GATEWAY_HEARTBEAT_SECS", "3").start().await;
    let mut session = gateway.connect(&anna().sign_as("old", Algorithm::ES256, &old.private)).await;
    let renewed = anna().sign_as("new", Algorithm::EdDSA, &new.private);
    let started = Instant::now();

    // Whatever strangers bring, it is asked once more in half a minute.
    server.say(Answer::keys(&[old.jwk("old", Algorithm::ES256), new.jwk("new", Algorithm::EdDSA)]));
    let mut strangers = 0;
    while server.asked() < 2 {
        let stranger = anna().sign_as(&format!("stranger-{strangers}"), Algorithm::EdDSA, &new.private);
        gateway.knock(&stranger).await.expect_problem(401, "unauthorized");
        strangers += 1;
        sleep(Duration::from_millis(100)).await;
        assert!(started.elapsed() < Duration::from_secs(45), "it never asked again");
    }
    assert!(strangers > 20 && started.elapsed() > Duration::from_secs(25), "{strangers} in {:?}", started.elapsed());
    eventually("the new key", async || match gateway.knock(&renewed).await {
        response if response.status == 101 => Ok(()),
        response => Err(response.body),
    })
    .await;
    session.send(&json!({ "frame": "auth", "token": renewed })).await;
    session.send(&json!({ "frame": "ping" })).await;
    assert_eq!(session.frame().await, ServerFrame::Pong {});
    assert_eq!(server.asked(), 2);
}

/// This one waits as well: half a minute after the last fetch a token may cause one.
#[tokio::test]
async fn a_token_with_a_new_key_waits_for_the_fetch_that_it_causes() {
    let (old, new) = (KeyPair::generate(Algorithm::ES256), KeyPair::generate(Algorithm::ES256));
    let server = KeyServer::start(Answer::keys(&[old.jwk("old", Algorithm::ES256)])).await;
    let gateways = [start(&server).await, start(&server).await];
    let started = Instant::now();
    let mut session = gateways[0].connect(&anna().sign_as("old", Algorithm::ES256, &old.private)).await;
    let renewed = anna().sign_as("new", Algorithm::ES256, &new.private);
    sleep_until(started + Duration::from_secs(31)).await;
    server.say(Answer::keys(&[old.jwk("old", Algorithm::ES256), new.jwk("new", Algorithm::ES256)]));

    session.send(&json!({ "frame": "auth", "token": renewed })).await;
    // Nobody else has to wait.
    session.send(&json!({ "frame": "ping" })).await;
    assert_eq!(session.frame().await, ServerFrame::Pong {});
    gateways[0].metric_becomes("gateway_renewals_total{result=\"ok\"}", 1.0).await;
    assert_eq!(server.asked(), 3, "each of the two asked at the start, and one when the key was met");

    // The last good set stays in use while the endpoint says nothing of use.
    let fetches = |result: &str| format!("gateway_key_fetches_total{{result=\"{result}\"}}");
    server.say(Answer::Status(500));
    gateways[1].knock(&renewed).await.expect_problem(401, "unauthorized");
    assert_eq!(gateways[1].metric(&fetches("failed")).await, 1.0, "it asked before it answered");
    assert_eq!(gateways[1].knock(&anna().sign_as("old", Algorithm::ES256, &old.private)).await.status, 101);
    assert_eq!(gateways[1].admin_get("/readyz").await.status, 200);
    server.say(Answer::keys(&[new.jwk("new", Algorithm::ES256)]));
    gateways[1].metric_becomes(&fetches("ok"), 2.0).await;
    assert_eq!(gateways[1].knock(&renewed).await.status, 101);
    let withdrawn = anna().sign_as("old", Algorithm::ES256, &old.private);
    gateways[1].knock(&withdrawn).await.expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn until_there_are_keys_nobody_is_let_in_and_no_token_is_called_bad() {
    let (old, new) = (KeyPair::generate(Algorithm::ES256), KeyPair::generate(Algorithm::ES256));
    let server = KeyServer::start(Answer::Status(503)).await;
    let gateway = Launch::new().key_set(&server.url()).start_unready().await;
    server.was_asked(1).await;
    let token = anna().sign_as("new", Algorithm::ES256, &new.private);
    for path in ["/v1/sse", "/v1/poll", "/v1/events"] {
        let response = gateway.get(path, &token).await;
        response.expect_problem(503, "unavailable");
        assert!(response.header("retry-after").is_some(), "{response:?}");
    }
    gateway.knock(&token).await.expect_problem(503, "unavailable");
    assert_eq!(gateway.admin_get("/readyz").await.body, "starting\n");

    server.say(Answer::keys(&[old.jwk("old", Algorithm::ES256), new.jwk("new", Algorithm::ES256)]));
    gateway.becomes_ready().await;
    assert_eq!(gateway.knock(&token).await.status, 101);
    assert!(gateway.metric("gateway_key_fetches_total{result=\"failed\"}").await >= 1.0);
    assert_eq!(gateway.metric(READY).await, 1.0);
}

#[tokio::test]
async fn what_is_no_key_set_is_not_taken_for_one() {
    let pair = KeyPair::generate(Algorithm::ES256);
    let elsewhere = KeyServer::start(Answer::keys(&[pair.jwk("ours", Algorithm::ES256)])).await;
    let token = anna().sign_as("ours", Algorithm::ES256, &pair.private);
    let oct = json!({ "kty": "oct", "kid": "ours", "k": "c2VjcmV0" });
    let answers = [
        (Answer::Redirect(elsewhere.url()), "redirects"),
        (Answer::Status(404), "404"),
        (Answer::Document("<html>".into()), "JSON Web Key Set"),
        (Answer::keys(&[]), "none of its 0 keys"),
        (Answer::keys(&[oct]), "none of its 1 keys"),
        (Answer::Endless, "larger than"),
        (Answer::Silence, "error sending request"),
    ];
    for (answer, words) in answers {
        let server = KeyServer::start(answer).await;
        let gateway = Launch::new().key_set(&server.url()).start_unready().await;
        eventually(words, async || {
            let log = gateway.log().join("\n");
            if log.contains("cannot fetch") && log.contains(words) { Ok(()) } else { Err(log) }
        })
        .await;
        gateway.knock(&token).await.expect_problem(503, "unavailable");
        assert_eq!(gateway.admin_get("/readyz").await.status, 503);
        assert_eq!(gateway.admin_get("/livez").await.status, 200, "it is alive, and tries again");
        assert_eq!(gateway.metric(READY).await, 0.0);
    }
    assert_eq!(elsewhere.asked(), 0, "a redirect was followed");
}

#[tokio::test]
async fn over_https_the_server_has_to_prove_who_it_is() {
    let pair = KeyPair::generate(Algorithm::EdDSA);
    let keys = json!({ "keys": [pair.jwk("ours", Algorithm::EdDSA)] });
    let server = TlsServer::start("jwks.json", &keys.to_string()).await;
    let launch = Launch::new().key_set(&server.url("jwks.json"));

    let stranger = launch.clone().start_unready().await;
    eventually("a refused certificate", async || {
        let log = stranger.log().join("\n");
        if log.contains("cannot fetch") && log.contains("certificate") { Ok(()) } else { Err(log) }
    })
    .await;
    assert_eq!(stranger.metric(READY).await, 0.0);

    let trusting = launch.set("SSL_CERT_FILE", server.authority().to_str().unwrap()).start().await;
    assert_eq!(trusting.knock(&anna().sign_as("ours", Algorithm::EdDSA, &pair.private)).await.status, 101);
}

#[tokio::test]
async fn an_endpoint_that_hangs_holds_nobody_up() {
    let pair = KeyPair::generate(Algorithm::ES256);
    let server = KeyServer::start(Answer::keys(&[pair.jwk("ours", Algorithm::ES256)])).await;
    let gateway = start(&server).await;
    server.say(Answer::Silence);
    let known = anna().sign_as("ours", Algorithm::ES256, &pair.private);
    let unknown = anna().sign_as("theirs", Algorithm::ES256, &pair.private);

    let mut session = gateway.connect(&known).await;
    let (refused, took) = timed(gateway.knock(&unknown)).await;
    refused.expect_problem(401, "unauthorized");
    assert!(took < Duration::from_secs(2), "it took {took:?}, though no fetch may begin");
    let service = Token::service("acme").sign_as("ours", Algorithm::ES256, &pair.private);
    assert_eq!(gateway.post("/v1/events", &service, &event("acme", "devis:signed", 1)).await.status, 200);
    assert_eq!(n(&session.event().await), 1);
    session.send(&json!({ "frame": "auth", "token": unknown })).await;
    assert_eq!(session.expect_close().await, CloseCode::TokenExpired.code());
}
