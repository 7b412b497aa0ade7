//! Public keys of each family, and the old trick with them.

use jsonwebtoken::{Algorithm, EncodingKey};

use crate::support::{KeyPair, Launch, Token, event};

fn anna() -> Token {
    Token::user("acme", "anna")
}

async fn expect_family(signs: Algorithm, accepted: &[Algorithm]) {
    let pair = KeyPair::generate(signs);
    let stranger = KeyPair::generate(signs);
    let gateway = Launch::new().public_key(pair.public_path()).start().await;

    for &algorithm in accepted {
        let mut session = gateway.connect(&anna().sign_with(algorithm, &pair.private)).await;
        let service = Token::service("acme").sign_with(algorithm, &pair.private);
        let published = gateway.post("/v1/events", &service, &event("acme", "devis:signed", 1)).await;
        assert_eq!(published.status, 200, "{published:?}");
        session.event().await;
    }
    let public_pem = std::fs::read(&pair.public_file).unwrap();
    let public_text = String::from_utf8(public_pem.clone()).unwrap();
    for (what, forged) in [
        ("another key", anna().sign_with(signs, &stranger.private)),
        (
            "HS256 with the public key's file",
            anna().sign_with(Algorithm::HS256, &EncodingKey::from_secret(&public_pem)),
        ),
        (
            "HS256 with the public key's text",
            anna().sign_with(Algorithm::HS256, &EncodingKey::from_secret(public_text.trim().as_bytes())),
        ),
        ("HS256 with the tests' secret", anna().sign()),
        ("alg none", anna().unsigned("")),
    ] {
        let response = gateway.knock(&forged).await;
        assert_eq!((response.status, &*response.problem_code()), (401, "unauthorized"), "{what}: {response:?}");
    }
}

#[tokio::test]
async fn an_rsa_key_verifies_rs256_and_ps256() {
    expect_family(Algorithm::RS256, &[Algorithm::RS256, Algorithm::PS256]).await;
}

#[tokio::test]
async fn a_p256_key_verifies_es256() {
    expect_family(Algorithm::ES256, &[Algorithm::ES256]).await;
}

#[tokio::test]
async fn an_ed25519_key_verifies_eddsa() {
    expect_family(Algorithm::EdDSA, &[Algorithm::EdDSA]).await;
}

#[tokio::test]
async fn a_secret_may_come_from_a_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("secret");
    // Editors and `kubectl create secret --from-file` leave a line end.
    std::fs::write(&file, format!("{}\n", crate::support::SECRET)).unwrap();
    let launch = Launch::new().unset("GATEWAY_JWT_SECRET").set("GATEWAY_JWT_SECRET_FILE", file.to_str().unwrap());

    let gateway = launch.start().await;

    assert_eq!(gateway.knock(&anna().sign()).await.status, 101);
}
