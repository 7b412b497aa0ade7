//! The gateway as a child process, as an operator runs it: configured by variables, watched through its log.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    ops::Deref,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::time::timeout;

use super::{Api, PATIENCE, Redis, Request, Response, SECRET, eventually, redis::signal_process};

/// How a gateway is to be started. Nothing of the tests' own environment reaches it.
#[derive(Clone)]
pub(crate) struct Launch {
    variables: BTreeMap<String, String>,
    arguments: Vec<String>,
    descriptors: Option<u64>,
}

impl Launch {
    /// Free ports, the tests' secret, the embedded backplane.
    pub(crate) fn new() -> Self {
        Self { variables: BTreeMap::new(), arguments: vec![], descriptors: None }
            .set("GATEWAY_LISTEN", "127.0.0.1:0")
            .set("GATEWAY_ADMIN_LISTEN", "127.0.0.1:0")
            .set("GATEWAY_JWT_SECRET", SECRET)
    }

    pub(crate) fn set(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn has(&self, variable: &str) -> bool {
        self.variables.contains_key(variable)
    }

    pub(crate) fn unset(mut self, variable: &str) -> Self {
        self.variables.remove(variable);
        self
    }

    /// Takes the key set at this address instead of the secret.
    pub(crate) fn key_set(self, url: &str) -> Self {
        self.unset("GATEWAY_JWT_SECRET").set("GATEWAY_JWKS_URL", url)
    }

    /// Takes the public key in this file instead of the secret.
    pub(crate) fn public_key(self, path: &str) -> Self {
        self.unset("GATEWAY_JWT_SECRET").set("GATEWAY_JWT_PUBLIC_KEY_FILE", path)
    }

    pub(crate) fn redis(self, redis: &Redis) -> Self {
        self.set("GATEWAY_REDIS_URL", &redis.url())
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Lets it have so many files open, sockets among them.
    pub(crate) fn descriptors(mut self, number: u64) -> Self {
        self.descriptors = Some(number);
        self
    }

    fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_gateway");
        let mut command = match self.descriptors {
            Some(number) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &format!("ulimit -n {number}; exec \"$@\""), "sh", program]);
                shell
            }
            None => Command::new(program),
        };
        command.env_clear().env("PATH", env!("PATH")).envs(&self.variables).args(&self.arguments).stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it is ready.
    pub(crate) async fn start(self) -> Gateway {
        let gateway = self.start_unready().await;
        // As a load balancer does: no traffic before it says that it is ready.
        gateway.becomes_ready().await;
        gateway
    }

    /// Starts it and waits until it listens.
    pub(crate) async fn start_unready(self) -> Gateway {
        let launch = self.set("GATEWAY_LOG_FORMAT", "json");
        let mut child = launch.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Log::default();
        log.follow(child.stderr.take().unwrap());
        log.follow(child.stdout.take().unwrap());
        // From here on a failure ends the child too and shows its log.
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut gateway = Gateway { child, log, api: Api::at(unknown), admin: unknown };
        let (public, admin) = eventually("the gateway's start", async || {
            let listening = gateway.log.find("listening").ok_or("no line says listening")?;
            let address = |name: &str| listening["fields"][name].as_str().and_then(|text| text.parse().ok());
            address("public").zip(address("admin")).ok_or("no addresses")
        })
        .await;
        gateway.api = Api::at(public);
        gateway.admin = admin;
        gateway
    }

    /// Runs it to its end, for starts that must fail and for commands.
    pub(crate) async fn run(&self) -> Output {
        let mut command = tokio::process::Command::from(self.command());
        let output = command.kill_on_drop(true).output();
        timeout(PATIENCE, output).await.expect("it should have ended by itself").unwrap()
    }
}

/// A gateway that runs; it is killed when the test lets go of it. Its public side is [`Api`].
pub(crate) struct Gateway {
    child: Child,
    log: Log,
    api: Api,
    pub(crate) admin: SocketAddr,
}

impl Gateway {
    /// Waits until it says that it is ready.
    pub(crate) async fn becomes_ready(&self) {
        eventually("the gateway's readiness", async || match self.admin_get("/readyz").await {
            ready if ready.status == 200 => Ok(()),
            unready => Err(unready.body),
        })
        .await;
    }

    pub(crate) fn terminate(&self) {
        signal_process(self.child.id(), "TERM");
    }

    /// Stops it in its tracks, as a machine does that is out of breath.
    pub(crate) fn pause(&self) {
        signal_process(self.child.id(), "STOP");
    }

    /// Lets it go on.
    pub(crate) fn unpause(&self) {
        signal_process(self.child.id(), "CONT");
    }

    /// Waits for its end.
    pub(crate) async fn exit(&mut self) -> ExitStatus {
        eventually("the gateway's end", async || self.child.try_wait().unwrap().ok_or("it still runs")).await
    }

    pub(crate) async fn admin_get(&self, path: &str) -> Response {
        self.admin_send(&Request::get(path)).await
    }

    pub(crate) async fn admin_send(&self, request: &Request) -> Response {
        request.send(self.admin).await
    }

    /// The value of one series, `name` or `name{label="value"}`; 0 if it has not appeared yet.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        self.samples().await.iter().filter(|(name, _)| name == series).map(|(_, value)| value).sum()
    }

    /// The sum over all labels of a metric.
    pub(crate) async fn metric_sum(&self, name: &str) -> f64 {
        let of_metric = |series: &str| series.split('{').next() == Some(name);
        self.samples().await.iter().filter(|(series, _)| of_metric(series)).map(|(_, value)| value).sum()
    }

    /// Waits until a series has this value.
    pub(crate) async fn metric_becomes(&self, series: &str, value: f64) {
        eventually(&format!("{series} = {value}"), async || {
            let now = self.metric(series).await;
            if (now - value).abs() < 0.5 { Ok(()) } else { Err(now) }
        })
        .await;
    }

    async fn samples(&self) -> Vec<(String, f64)> {
        let response = self.admin_get("/metrics").await;
        assert_eq!(response.status, 200, "{response:?}");
        let lines = response.body.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, value)| (name.into(), value.parse().unwrap()))
            .collect()
    }

    /// Resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lines.lock().unwrap().clone()
    }
}

impl Deref for Gateway {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- gateway on {}\n{}", self.api.public, self.log().join("\n"));
        }
    }
}

/// The lines that a gateway has printed.
#[derive(Default)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    fn follow(&self, output: impl Read + Send + 'static) {
        let written = Arc::clone(&self.lines);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                written.lock().unwrap().push(line);
            }
        });
    }

    /// The first line with this message.
    fn find(&self, message: &str) -> Option<Value> {
        let lines = self.lines.lock().unwrap();
        lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|v| v["fields"]["message"] == message)
    }
}
