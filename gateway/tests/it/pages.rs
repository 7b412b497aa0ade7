//! The folder that is served at `/`: what a browser gets of it, and what nobody gets.

use std::fs;

use tempfile::TempDir;

use crate::support::{Gateway, Launch, Request, Response, Token};

/// A built application; beside it something that is nobody's business.
struct Built {
    folder: TempDir,
}

impl Built {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let site = folder.path().join("site");
        fs::create_dir_all(site.join("assets/deep")).unwrap();
        fs::create_dir_all(site.join(".git")).unwrap();
        fs::create_dir_all(site.join("sitemap.d")).unwrap();
        for (path, text) in [
            ("site/index.html", "<!doctype html><title>Tableau de bord</title>"),
            ("site/sw.js", "self.skipWaiting()"),
            ("site/manifest.webmanifest", "{\"name\":\"Tableau de bord\"}"),
            ("site/assets/app-4f2a.js", "console.log('é')"),
            ("site/assets/app-4f2a.css", "body{}"),
            ("site/icon.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
            ("site/assets/deep/inter.woff2", "font"),
            ("site/.env", "SECRET=1"),
            ("site/.git/config", "secret"),
            ("secret.txt", "secret"),
        ] {
            fs::write(folder.path().join(path), text).unwrap();
        }
        Self { folder }
    }

    async fn served(&self) -> Gateway {
        Launch::new().set("GATEWAY_STATIC_DIR", self.folder.path().join("site").to_str().unwrap()).start().await
    }
}

/// A browser that opens an address.
fn page(path: &str) -> Request {
    Request::get(path).header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

fn expect_index(answer: &Response) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("Tableau de bord"), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
}

#[tokio::test]
async fn each_file_has_its_type_and_is_kept_as_long_as_its_name_allows() {
    let built = Built::new();
    let gateway = built.served().await;

    expect_index(&gateway.send(Request::get("/")).await);
    expect_index(&gateway.send(Request::get("/index.html")).await);
    let forever = "public, max-age=31536000, immutable";
    for (path, content_type, kept) in [
        ("/sw.js", "text/javascript", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/icon.svg", "image/svg+xml", "no-cache"),
        ("/assets/app-4f2a.js", "text/javascript", forever),
        ("/assets/app-4f2a.css", "text/css; charset=utf-8", forever),
        ("/assets/deep/inter.woff2", "font/woff2", forever),
    ] {
        let answer = gateway.send(Request::get(path)).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert_eq!(answer.header("cache-control"), Some(kept), "{path}");
        assert_eq!(answer.header("content-disposition"), None, "{path}");
    }
}

#[tokio::test]
async fn a_file_is_sent_again_only_when_it_has_changed() {
    let built = Built::new();
    let gateway = built.served().await;
    let first = gateway.send(page("/")).await;
    let tag = first.header("etag").expect("no ETag").to_owned();

    let again = gateway.send(page("/").header("If-None-Match", &tag)).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(again.header("cache-control"), Some("no-cache"));

    fs::write(built.folder.path().join("site/index.html"), "<title>Tableau de bord, neuf</title>").unwrap();
    let changed = gateway.send(page("/").header("If-None-Match", &tag)).await;
    assert_eq!(changed.status, 200);
    assert!(changed.body.contains("neuf"), "{changed:?}");
}

#[tokio::test]
async fn head_tells_what_get_would_send() {
    let built = Built::new();
    let gateway = built.served().await;
    let get = gateway.send(page("/")).await;
    let head = gateway.send(page("/").method("HEAD")).await;
    for name in ["content-type", "content-length", "etag", "cache-control", "content-security-policy"] {
        assert!(get.header(name).is_some(), "{name}");
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn an_address_of_the_application_survives_a_reload_and_anything_else_is_not_there() {
    let built = Built::new();
    let gateway = built.served().await;

    for path in ["/devis/d-41", "/devis/d-41/", "/a%20b?x=1", "/assets", "/sitemap.d"] {
        expect_index(&gateway.send(page(path)).await);
        gateway.send(Request::get(path)).await.expect_problem(404, "not_found");
        gateway.send(Request::get(path).header("Accept", "application/json")).await.expect_problem(404, "not_found");
    }
    // What an old page asks for after a new one was put in its place must not look like an answer.
    for path in ["/assets/app-0000.js", "/assets/", "/v1/nothing", "/v1/"] {
        gateway.send(page(path)).await.expect_problem(404, "not_found");
    }
    gateway.send(page("/").method("POST")).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn nothing_outside_of_the_folder_and_nothing_hidden_is_served() {
    let built = Built::new();
    let gateway = built.served().await;

    for path in [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/assets/../.env",
        "/%00",
        "/index.html%00.js",
        "/%ff",
        "/assets",
        "/sitemap.d/",
    ] {
        gateway.send(Request::get(path)).await.expect_problem(404, "not_found");
        let opened = gateway.send(page(path)).await;
        assert!(!opened.body.to_lowercase().contains("secret"), "{path}: {opened:?}");
    }
}

#[tokio::test]
async fn a_page_can_load_from_here_alone_and_be_framed_nowhere() {
    let built = Built::new();
    let gateway = built.served().await;

    for path in ["/", "/sw.js", "/assets/app-4f2a.js", "/devis/d-41"] {
        let answer = gateway.send(page(path)).await;
        let policy = answer.header("content-security-policy").expect("no policy");
        for rule in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.split("; ").any(|part| part == rule), "{rule} is not in {policy}");
        }
        assert!(!policy.contains("script-src"), "scripts have no rule of their own: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    }
}

#[tokio::test]
async fn the_endpoints_stay_where_they_are() {
    let built = Built::new();
    let gateway = built.served().await;

    gateway.send(page("/v1/ws")).await.expect_problem(426, "upgrade_required");
    gateway.send(page("/v1/events")).await.expect_problem(401, "unauthorized");
    let session = gateway.connect(&Token::user("acme", "anna").sign()).await;
    assert_eq!(session.welcome.company_id.as_str(), "acme");
}

#[tokio::test]
async fn without_a_folder_there_is_nothing_to_open() {
    let gateway = Launch::new().start().await;
    for path in ["/", "/index.html", "/devis"] {
        gateway.send(page(path)).await.expect_problem(404, "not_found");
    }
}
