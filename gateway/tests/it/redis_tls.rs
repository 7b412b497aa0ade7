//! `rediss://`: a private authority, certificates on both sides.

use std::{path::PathBuf, process::Command};

use publisher::{PublishError, Publisher, Tls};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Launch, Redis, Token, event, eventually, free_port, n};

const CA: &str = "GATEWAY_REDIS_CA_FILE";
const CERT: &str = "GATEWAY_REDIS_CERT_FILE";
const KEY: &str = "GATEWAY_REDIS_KEY_FILE";

/// An authority of the test's own, and what it has signed.
struct Authority {
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let authority = Self { folder };
        authority.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=ca -keyout ca.key -out ca.pem");
        for name in ["server", "client"] {
            std::fs::write(authority.file("san"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
            authority.openssl(&format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
            ));
            authority.openssl(&format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile san -out {name}.pem"
            ));
        }
        authority
    }

    fn openssl(&self, words: &str) {
        let output = Command::new("openssl").args(words.split(' ')).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "openssl {words}: {output:?}");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.file(name)).unwrap()
    }
}

/// A Redis that speaks TLS, with those alone whom the authority knows; and the URL.
async fn start(authority: &Authority) -> (Redis, String) {
    let port = free_port().to_string();
    let (certificate, key, ca) = (authority.path("server.pem"), authority.path("server.key"), authority.path("ca.pem"));
    let settings = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "yes",
    ];
    (Redis::with_settings(&settings, "").await, format!("rediss://127.0.0.1:{port}/"))
}

fn trusting(url: &str, authority: &Authority) -> Launch {
    Launch::new().set("GATEWAY_REDIS_URL", url).set(CA, &authority.path("ca.pem"))
}

fn known(launch: Launch, authority: &Authority) -> Launch {
    launch.set(CERT, &authority.path("client.pem")).set(KEY, &authority.path("client.key"))
}

#[tokio::test]
async fn with_certificates_on_both_sides_everything_works() {
    let authority = Authority::new();
    let (_redis, url) = start(&authority).await;
    let gateway = known(trusting(&url, &authority), &authority).start().await;
    let mut anna = gateway.connect(&Token::user("acme", "anna").sign()).await;

    gateway.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&anna.event().await), 1);
    let tls = Tls::new()
        .authority(authority.read("ca.pem"))
        .identity(authority.read("client.pem"), authority.read("client.key"));
    let publisher = Publisher::builder(&url.replace("127.0.0.1", "localhost")).tls(tls).build().unwrap();
    let data = serde_json::value::RawValue::from_string(json!({ "n": 2 }).to_string()).unwrap();
    let company = shared::CompanyId::parse("acme").unwrap();
    let event_type = shared::EventType::parse("devis:signed").unwrap();
    let envelope =
        shared::Envelope::raw(&company, publisher::new_event_id(), event_type, chrono::Utc::now(), &data).unwrap();
    publisher.publish_envelopes(&[envelope]).await.unwrap();
    assert_eq!(n(&anna.event().await), 2);
}

#[tokio::test]
async fn who_cannot_be_trusted_is_not_spoken_to() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (_redis, url) = start(&authority).await;
    let cases = [
        ("nobody's authority", Launch::new().set("GATEWAY_REDIS_URL", &url)),
        ("another's authority", known(trusting(&url, &stranger), &authority)),
        ("no certificate", trusting(&url, &authority)),
        ("another's certificate", known(trusting(&url, &authority), &stranger)),
        ("another name", known(trusting(&url.replace("127.0.0.1", "127.0.0.2"), &authority), &authority)),
    ];
    for (what, launch) in cases {
        let gateway = launch.start().await;
        let warned = eventually("a warning", async || {
            let log = gateway.log();
            log.iter().find(|line| line.contains("cannot connect to Redis")).cloned().ok_or(what)
        })
        .await;
        assert!(!warned.contains("PRIVATE"), "{warned}");
        assert!(gateway.metric("gateway_backplane_up").await < 0.5, "{what}");
    }
}

#[tokio::test]
async fn certificates_that_make_no_sense_end_the_start() {
    let authority = Authority::new();
    let url = "rediss://127.0.0.1:1/";
    let secret = String::from_utf8(authority.read("client.key")).unwrap();
    let trusting = || trusting(url, &authority);
    let cases = [
        (trusting().set(CA, "/nowhere/ca.pem"), CA),
        (trusting().set(CA, &authority.path("client.key")), "GATEWAY_REDIS_URL"),
        (trusting().set(CERT, &authority.path("client.pem")), KEY),
        (trusting().set(KEY, &authority.path("client.key")), CERT),
        (trusting().set(CERT, &authority.path("client.key")).set(KEY, &authority.path("client.key")), "certificate"),
        (trusting().set(CERT, &authority.path("client.pem")).set(KEY, &authority.path("client.pem")), "key"),
        (trusting().set("GATEWAY_REDIS_URL", "redis://127.0.0.1:1/"), "rediss://"),
        (trusting().unset("GATEWAY_REDIS_URL"), CA),
    ];
    for (launch, word) in cases {
        let output = launch.run().await;
        let line = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{word}: {line}");
        assert_eq!(line.trim_end().lines().count(), 1, "{line}");
        assert!(line.contains(word) && !secret.lines().any(|part| line.contains(part)), "{word}: {line}");
    }
    let error = Publisher::builder("redis://127.0.0.1/").tls(Tls::new().authority(authority.read("ca.pem"))).build();
    assert!(matches!(error, Err(PublishError::Configuration(_))));
}
