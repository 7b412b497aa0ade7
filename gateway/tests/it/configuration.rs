//! A start that cannot succeed ends at once: exit code 2 and one line that names what to mend.

use std::net::TcpListener;

use tempfile::TempDir;

use crate::support::{Launch, make_public_key};

/// The gateway ends with code 2 and one line on stderr that contains each of `words`.
async fn expect_refused(launch: Launch, words: &[&str]) {
    let output = launch.run().await;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "one line: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word} is not in: {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[tokio::test]
async fn an_address_that_is_none_is_named() {
    expect_refused(Launch::new().set("GATEWAY_LISTEN", "nonsense"), &["GATEWAY_LISTEN", "nonsense"]).await;
    expect_refused(Launch::new().set("GATEWAY_LISTEN", "127.0.0.1:70000"), &["GATEWAY_LISTEN"]).await;
    expect_refused(Launch::new().set("GATEWAY_ADMIN_LISTEN", "localhost"), &["GATEWAY_ADMIN_LISTEN"]).await;
}

#[tokio::test]
async fn a_number_that_is_none_is_named() {
    for variable in [
        "GATEWAY_MAX_CONNECTIONS",
        "GATEWAY_MAX_CONNECTIONS_PER_COMPANY",
        "GATEWAY_CONNECTS_PER_SECOND",
        "GATEWAY_HEARTBEAT_SECS",
    ] {
        for value in ["many", "-1", "1.5"] {
            expect_refused(Launch::new().set(variable, value), &[variable]).await;
        }
    }
}

#[tokio::test]
async fn exactly_one_source_of_keys_is_needed() {
    let none = Launch::new().unset("GATEWAY_JWT_SECRET");
    expect_refused(none.clone(), &["GATEWAY_JWT_SECRET"]).await;
    let two = Launch::new().set("GATEWAY_JWT_PUBLIC_KEY_FILE", "/etc/hostname");
    expect_refused(two, &["GATEWAY_JWT_SECRET", "GATEWAY_JWT_PUBLIC_KEY_FILE"]).await;
    let twice = Launch::new().set("GATEWAY_JWT_SECRET_FILE", "/etc/hostname");
    expect_refused(twice, &["GATEWAY_JWT_SECRET_FILE"]).await;
    let set_too = Launch::new().set("GATEWAY_JWKS_URL", "https://id.example/jwks.json");
    expect_refused(set_too, &["GATEWAY_JWT_SECRET", "GATEWAY_JWKS_URL"]).await;
}

#[tokio::test]
async fn an_address_of_keys_that_anybody_on_the_way_could_change_is_refused() {
    for (url, word) in [
        ("http://id.example/jwks.json", "https"),
        ("http://localhost.example/jwks.json", "https"),
        ("ftp://id.example/jwks.json", "https"),
        ("id.example/jwks.json", "GATEWAY_JWKS_URL"),
        ("https://user:hunter2@id.example/jwks.json", "password"),
    ] {
        let launch = Launch::new().key_set(url);
        expect_refused(launch.clone(), &["GATEWAY_JWKS_URL", word]).await;
        assert!(!String::from_utf8_lossy(&launch.run().await.stderr).contains("hunter2"), "{url}");
    }
}

#[tokio::test]
async fn a_public_key_that_is_too_weak_or_of_another_kind_is_refused() {
    let folder = TempDir::new().unwrap();
    let kinds: [(&[&str], &str); 3] = [
        (&["RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "2048"),
        (&["EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "P-256"),
        (&["ED448"], "Ed25519"),
    ];
    for (options, word) in kinds {
        let file = folder.path().join(options[0]);
        make_public_key(options, &file);
        expect_refused(Launch::new().public_key(file.to_str().unwrap()), &["GATEWAY_JWT_PUBLIC_KEY_FILE", word]).await;
    }
}

#[tokio::test]
async fn a_revocation_that_is_over_at_once_or_never_is_refused() {
    for seconds in ["0", "59", "99999999999", "forever"] {
        expect_refused(Launch::new().set("GATEWAY_REVOCATION_SECS", seconds), &["GATEWAY_REVOCATION_SECS"]).await;
    }
}

#[tokio::test]
async fn a_short_secret_is_refused_and_not_shown() {
    let secret = "thirty-one bytes are not enough";
    assert_eq!(secret.len(), 31);
    let output = Launch::new().set("GATEWAY_JWT_SECRET", secret).run().await;
    assert!(!String::from_utf8_lossy(&output.stderr).contains(secret), "{output:?}");
    expect_refused(Launch::new().set("GATEWAY_JWT_SECRET", secret), &["GATEWAY_JWT_SECRET", "32"]).await;
    expect_refused(Launch::new().set("GATEWAY_JWT_SECRET", ""), &["GATEWAY_JWT_SECRET"]).await;
}

#[tokio::test]
async fn a_key_file_that_is_missing_unreadable_or_no_key_is_named() {
    let folder = TempDir::new().unwrap();
    let garbage = folder.path().join("garbage.pem");
    std::fs::write(&garbage, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap();
    let garbage = garbage.to_str().unwrap();
    // A folder stands for a file that cannot be read: root may read everything else.
    let unreadable = folder.path().to_str().unwrap();

    for path in ["/nowhere/key.pem", unreadable] {
        expect_refused(Launch::new().public_key(path), &["GATEWAY_JWT_PUBLIC_KEY_FILE", path]).await;
    }
    expect_refused(Launch::new().public_key(garbage), &["GATEWAY_JWT_PUBLIC_KEY_FILE"]).await;
    for path in ["/nowhere/secret", unreadable] {
        let launch = Launch::new().unset("GATEWAY_JWT_SECRET").set("GATEWAY_JWT_SECRET_FILE", path);
        expect_refused(launch, &["GATEWAY_JWT_SECRET_FILE", path]).await;
    }
}

#[tokio::test]
async fn a_redis_url_that_is_none_is_named() {
    for url in ["http://127.0.0.1:6379", "127.0.0.1:6379", "redis://", "nonsense"] {
        expect_refused(Launch::new().set("GATEWAY_REDIS_URL", url), &["GATEWAY_REDIS_URL"]).await;
    }
    let launch = Launch::new().set("GATEWAY_REDIS_URL", "http://user:hunter2@127.0.0.1:6379");
    let output = launch.run().await;
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"), "a password is not shown: {output:?}");
}

#[tokio::test]
async fn an_origin_that_is_none_is_named() {
    for origins in ["app.example.com", "https://app.example.com/path", "ftp://app.example.com"] {
        expect_refused(Launch::new().set("GATEWAY_ALLOWED_ORIGINS", origins), &["GATEWAY_ALLOWED_ORIGINS"]).await;
    }
}

#[tokio::test]
async fn a_log_setting_that_is_none_is_named() {
    expect_refused(Launch::new().set("GATEWAY_LOG_FORMAT", "xml"), &["GATEWAY_LOG_FORMAT"]).await;
    expect_refused(Launch::new().set("GATEWAY_LOG", "gateway=loud,,="), &["GATEWAY_LOG"]).await;
}

#[tokio::test]
async fn a_folder_of_pages_that_is_missing_or_has_no_first_page_is_named() {
    let folder = TempDir::new().unwrap();
    let (empty, file) = (folder.path().join("empty"), folder.path().join("file"));
    let odd = folder.path().join("odd");
    std::fs::create_dir(&empty).unwrap();
    std::fs::write(&file, "").unwrap();
    std::fs::create_dir_all(odd.join("index.html")).unwrap();
    for path in [&empty, &file, &odd, std::path::Path::new("/nowhere")] {
        let path = path.to_str().unwrap();
        expect_refused(Launch::new().set("GATEWAY_STATIC_DIR", path), &["GATEWAY_STATIC_DIR", path, "index.html"])
            .await;
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for variable in ["GATEWAY_LISTEN", "GATEWAY_ADMIN_LISTEN"] {
        expect_refused(Launch::new().set(variable, &address), &[variable, &address]).await;
    }
}
