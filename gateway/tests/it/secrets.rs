//! Secrets stay inside: whatever the gateway prints or answers, in success and in failure, none of them is in it.

use serde_json::json;

use crate::support::{Gateway, Launch, Opcode, RawSession, Redis, Request, Token, event, eventually, frame};

/// Part of every secret: the key, the password, each token's signature, what an event says.
const SECRET: &str = "hunter2-jwt-secret-0123456789-0123456789";
const PASSWORD: &str = "hunter2-redis-password";
const PAYLOAD: &str = "hunter2-payload";
const MARKER: &str = "hunter2";

/// Everything that was said, and by whom.
#[derive(Default)]
struct Said(Vec<(String, String)>);

impl Said {
    fn note(&mut self, whom: &str, text: impl Into<String>) {
        self.0.push((whom.to_owned(), text.into()));
    }

    fn note_log(&mut self, gateway: &Gateway) {
        assert!(gateway.log().iter().any(|line| line.contains("\"TRACE\"")), "it does not say all that it could");
        for line in gateway.log() {
            self.note("log", line);
        }
    }

    /// None of `secrets` is in it.
    fn expect_none_of(&self, secrets: &[String]) {
        assert!(self.0.len() > 50, "hardly anything was said");
        for (whom, text) in &self.0 {
            for secret in secrets {
                assert!(!text.contains(secret.as_str()), "{secret} is in what {whom} said: {text}");
            }
        }
    }
}

/// What of a token nobody else may know: whoever has the signature has the token.
fn signature(token: &str) -> String {
    token.rsplit('.').next().unwrap().to_owned()
}

fn launch() -> Launch {
    Launch::new().set("GATEWAY_JWT_SECRET", SECRET).set("GATEWAY_LOG", "trace")
}

async fn redis() -> (Redis, Launch) {
    let redis = Redis::with_settings(&["--requirepass", PASSWORD], &format!(":{PASSWORD}@")).await;
    let launch = launch().redis(&redis);
    (redis, launch)
}

#[tokio::test]
async fn no_secret_is_said_while_it_runs() {
    let (mut redis, launch) = redis().await;
    let gateway = launch.start().await;
    let mut said = Said::default();
    let sign = |token: Token| token.sign_by(SECRET);
    let (anna, service) = (sign(Token::user("acme", "anna")), sign(Token::service("*")));
    let renewed = sign(Token::user("acme", "anna").expires_in(60));
    let expired = sign(Token::user("acme", "anna").expires_in(-60));
    let forged = Token::user("acme", "anna").sign();

    let mut session = RawSession::open(&gateway, &anna).await;
    for token in [&renewed, &forged] {
        let renewal = json!({ "frame": "auth", "token": token }).to_string();
        session.send(&frame(true, Opcode::Text, renewal.as_bytes())).await;
    }
    session.expect_close().await;
    let mut body = event("acme", "devis:signed", 1);
    body["data"] = json!({ "text": PAYLOAD });
    let mut broken = body.clone();
    broken["type"] = json!(null);
    for (status, token, body) in
        [(200, &service, &body), (400, &service, &broken), (403, &anna, &body), (401, &forged, &body)]
    {
        let answer = gateway.post("/v1/events", token, body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        said.note("publish", format!("{answer:?}"));
    }
    for token in [&anna, &expired, &forged] {
        let request =
            Request::upgrade("/v1/ws").header("Sec-WebSocket-Protocol", &format!("realtime.v1, bearer.{token}"));
        said.note("upgrade", format!("{:?}", gateway.send(request).await));
        for path in ["/v1/poll?wait=0", "/v1/ws", "/v1/nothing"] {
            said.note(path, format!("{:?}", gateway.get(path, token).await));
        }
        let in_url = Request::get(&format!("/v1/poll?wait=0&token={token}&lastEventId={token}"));
        said.note("a URL", format!("{:?}", gateway.send(in_url).await));
    }
    redis.kill();
    gateway.metric_becomes("gateway_backplane_up", 0.0).await;
    let unavailable = gateway.post("/v1/events", &service, &body).await;
    unavailable.expect_problem(503, "unavailable");
    said.note("without Redis", format!("{unavailable:?}"));
    for path in ["/metrics", "/readyz", "/livez"] {
        said.note(path, gateway.admin_get(path).await.body);
    }
    said.note_log(&gateway);

    let tokens = [&anna, &service, &renewed, &expired, &forged].map(|token| signature(token));
    said.expect_none_of(&[&[MARKER.to_owned()][..], &tokens].concat());
    // The claims are in a token's middle; they begin like this.
    assert!(!gateway.log().iter().any(|line| line.contains(".eyJ")), "a token is in the log");
}

#[tokio::test]
async fn no_secret_is_said_when_redis_refuses() {
    let (redis, _) = redis().await;
    let wrong = launch().set("GATEWAY_REDIS_URL", &redis.url_of("nobody:hunter2-wrong@"));
    let gateway = wrong.start().await;
    let service = Token::service("*").sign_by(SECRET);
    let mut said = Said::default();

    eventually("a refusal", async || {
        let log = gateway.log();
        log.iter().any(|line| line.contains("cannot connect to Redis")).then_some(()).ok_or("nothing yet")
    })
    .await;
    said.note(
        "publish",
        format!("{:?}", gateway.post("/v1/events", &service, &event("acme", "devis:signed", 1)).await),
    );
    said.note("metrics", gateway.admin_get("/metrics").await.body);
    said.note_log(&gateway);

    said.expect_none_of(&[MARKER.to_owned(), signature(&service)]);
}

#[tokio::test]
async fn no_secret_is_said_when_the_configuration_is_wrong() {
    let all = || launch().set("GATEWAY_REDIS_URL", "redis://:hunter2-redis@127.0.0.1:1/");
    let mut said = Said::default();
    for launch in [
        all().arguments(&["--help"]),
        all().arguments(&["--version"]),
        all().arguments(&["--no-such-flag"]),
        all().arguments(&["token", "--help"]),
        all().arguments(&["token", "--company", "acme", "--user", "anna", "--ttl", "soon"]),
        all().set("GATEWAY_REDIS_URL", "http://:hunter2@127.0.0.1:1/"),
        all().set("GATEWAY_REDIS_URL", "redis://:hunter2@127.0.0.1:x/"),
        all().set("GATEWAY_REDIS_URL", "rediss://:hunter2@127.0.0.1:1/#insecure"),
        all().set("GATEWAY_REDIS_URL", "redis+sentinel://:hunter2@127.0.0.1:1/"),
        all().set("GATEWAY_JWT_SECRET", "hunter2"),
        all().set("GATEWAY_JWT_SECRET_FILE", "/nowhere"),
        all().set("GATEWAY_LISTEN", "nonsense"),
        all().set("GATEWAY_MAX_CONNECTIONS", "many"),
        all().set("GATEWAY_REDIS_CA_FILE", "/nowhere"),
        all().set("GATEWAY_LOG", "gateway=loud,,="),
        all().arguments(&["--jwt-secret", "hunter2"]).unset("GATEWAY_JWT_SECRET"),
        all().arguments(&["--redis-url", "hunter2"]),
    ] {
        let output = launch.run().await;
        for (whom, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            for line in String::from_utf8_lossy(bytes).lines() {
                said.note(whom, line);
            }
        }
    }
    said.expect_none_of(&[MARKER.to_owned()]);
}
