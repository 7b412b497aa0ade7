//! Which web pages may connect: one allow-list for the WebSocket's `Origin` and for CORS.

use crate::support::{Launch, Request, Response, Stream, Token, event};

const LISTED: &str = "https://app.example.com";

const STRANGERS: [&str; 10] = [
    "https://evil.example",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.example",
    "https://evil.example/https://app.example.com",
    "https://evilapp.example.com",
    "https://sub.app.example.com",
    "null",
    "http://localhost:5173",
    "*",
];

fn upgrade(origin: &str) -> Request {
    Request::upgrade("/v1/ws").bearer(&Token::user("acme", "anna").sign()).header("Origin", origin)
}

fn preflight(path: &str, origin: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "authorization,last-event-id")
}

fn allowed_origin(response: &Response) -> Option<&str> {
    response.header("access-control-allow-origin")
}

#[tokio::test]
async fn a_listed_origin_passes_and_others_do_not() {
    let gateway =
        Launch::new().set("GATEWAY_ALLOWED_ORIGINS", "https://app.example.com,http://10.0.0.1:3000").start().await;

    for origin in [LISTED, "http://10.0.0.1:3000"] {
        assert_eq!(gateway.send(upgrade(origin)).await.status, 101, "{origin}");
    }
    for origin in STRANGERS {
        gateway.send(upgrade(origin)).await.expect_problem(403, "origin_not_allowed");
    }
}

#[tokio::test]
async fn cors_follows_the_same_list() {
    let gateway = Launch::new().set("GATEWAY_ALLOWED_ORIGINS", LISTED).start().await;

    for path in ["/v1/events", "/v1/sse", "/v1/poll?wait=0"] {
        let answer = gateway.send(preflight(path, LISTED)).await;
        assert!([200, 204].contains(&answer.status), "{answer:?}");
        assert_eq!(allowed_origin(&answer), Some(LISTED));
        let headers = answer.header("access-control-allow-headers").unwrap_or_default().to_lowercase();
        assert!(headers.contains("authorization") && headers.contains("last-event-id"), "{answer:?}");
        for origin in STRANGERS {
            assert_eq!(allowed_origin(&gateway.send(preflight(path, origin)).await), None, "{path} {origin}");
        }
    }
}

#[tokio::test]
async fn the_gateways_own_origin_and_no_origin_pass() {
    let gateway = Launch::new().start().await;

    let token = Token::user("acme", "anna").sign();
    assert_eq!(gateway.knock(&token).await.status, 101, "not a browser");
    assert_eq!(gateway.send(upgrade(&format!("http://{}", gateway.public))).await.status, 101, "its own page");
    let behind_a_proxy = upgrade("https://realtime.example.com").header("Host", "realtime.example.com");
    assert_eq!(gateway.send(behind_a_proxy).await.status, 101, "its own page by the name that the browser used");
    gateway.send(upgrade(LISTED)).await.expect_problem(403, "origin_not_allowed");
}

#[tokio::test]
async fn a_star_that_is_written_out_lets_everybody_in() {
    let gateway = Launch::new().set("GATEWAY_ALLOWED_ORIGINS", "*").start().await;
    for origin in STRANGERS {
        assert_eq!(gateway.send(upgrade(origin)).await.status, 101, "{origin}");
    }
}

#[tokio::test]
async fn a_listed_page_may_read_answers_and_problems() {
    let gateway = Launch::new().set("GATEWAY_ALLOWED_ORIGINS", LISTED).start().await;
    let token = Token::user("acme", "anna").sign();

    for path in ["/v1/events", "/v1/poll?wait=0"] {
        let good = gateway.send(Request::get(path).bearer(&token).header("Origin", LISTED)).await;
        assert_eq!((good.status, allowed_origin(&good)), (200, Some(LISTED)), "{path}");
    }
    let stream = Stream::open(&gateway, Request::get("/v1/sse").bearer(&token).header("Origin", LISTED)).await;
    assert_eq!(allowed_origin(&stream.head), Some(LISTED));
    for path in ["/v1/events", "/v1/poll?wait=0", "/v1/sse"] {
        let refused = gateway.send(Request::get(path).header("Origin", LISTED)).await;
        refused.expect_problem(401, "unauthorized");
        assert_eq!(allowed_origin(&refused), Some(LISTED), "else the page cannot see why it was refused by {path}");
        let stranger = gateway.send(Request::get(path).bearer(&token).header("Origin", STRANGERS[0])).await;
        stranger.expect_problem(403, "origin_not_allowed");
        assert_eq!(allowed_origin(&stranger), None, "{path}");
    }
}

#[tokio::test]
async fn a_stranger_is_refused_by_every_endpoint_whatever_token_it_has() {
    let gateway = Launch::new().set("GATEWAY_ALLOWED_ORIGINS", LISTED).start().await;
    let service = Token::service("acme").sign();
    let post = || Request::new("POST", "/v1/events").bearer(&service).json(&event("acme", "devis:signed", 1));
    let doors = || {
        let get = |path| Request::get(path).bearer(&service);
        let upgrade = Request::upgrade("/v1/ws").bearer(&service);
        [upgrade, get("/v1/sse"), get("/v1/poll?wait=0"), get("/v1/events"), post()]
    };
    for origin in STRANGERS {
        for request in doors() {
            gateway.send(request.header("Origin", origin)).await.expect_problem(403, "origin_not_allowed");
        }
    }
    let refused = gateway.metric("gateway_handshakes_rejected_total{reason=\"origin_not_allowed\"}").await;
    assert!((refused - 5.0 * STRANGERS.len() as f64).abs() < 0.5, "each is counted: {refused}");

    let good = gateway.send(post().header("Origin", LISTED)).await;
    assert_eq!((good.status, allowed_origin(&good)), (200, Some(LISTED)));
    let preflight = Request::new("OPTIONS", "/v1/events")
        .header("Origin", LISTED)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,content-type,idempotency-key");
    let answer = gateway.send(preflight).await;
    assert!([200, 204].contains(&answer.status), "{answer:?}");
    assert!(answer.header("access-control-allow-credentials").is_none(), "no cookie opens anything here");
}
