//! A real Redis, a real gateway, and the program under test.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

const SECRET: &str = "a secret of the tests, long enough for HS256";

/// The program with these arguments, and nothing of our environment that it listens to.
pub(crate) fn loadtest(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    for name in ["LOADTEST_REDIS_URL", "LOADTEST_GATEWAY_URL", "LOADTEST_TOKEN", "LOADTEST_URL"] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Runs it to its good end.
pub(crate) fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A child `redis-server`, ended when dropped.
pub(crate) struct Redis {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Redis {
    /// Starts one and waits for it to say that it is ready. Somebody may take the free port first: then once more.
    pub(crate) fn start() -> Self {
        (0..5).find_map(|_| Self::try_start()).expect("no redis-server came up")
    }

    fn try_start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is not installed");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
        let redis = Self { child, port, _folder: folder };
        ready.then_some(redis)
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Events in a company's log.
    pub(crate) fn log_length(&self, company: &str) -> u64 {
        let answer = self.ask(&format!("XLEN {{company:{company}}}:log\r\n"));
        answer.trim().trim_start_matches(':').parse().unwrap_or_else(|_| panic!("{answer}"))
    }

    /// The records of a company's log, oldest first.
    pub(crate) fn log(&self, company: &str) -> Vec<String> {
        let answer = self.ask(&format!("XRANGE {{company:{company}}}:log - +\r\n"));
        answer.lines().filter(|line| line.starts_with("1 ")).map(ToOwned::to_owned).collect()
    }

    fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(command.as_bytes()).unwrap();
        stream.write_all(b"QUIT\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.strip_suffix("+OK\r\n").unwrap_or(&answer).to_owned()
    }
}

/// The gateway's program, which lies beside ours; built where it does not yet.
pub(crate) fn gateway_bin() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_loadtest")).with_file_name("gateway");
    if !path.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--quiet", "-p", "gateway"]).status().unwrap();
        assert!(built.success());
    }
    path
}

/// A gateway with a Redis, ended when dropped.
pub(crate) struct Gateway {
    child: Child,
    public: String,
    /// Its Redis.
    pub(crate) redis: Redis,
}

impl Gateway {
    /// Starts one and waits until it is ready. Somebody may take a free port first: then once more.
    pub(crate) fn start() -> Self {
        (0..5).find_map(|_| Self::try_start()).expect("no gateway came up")
    }

    fn try_start() -> Option<Self> {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (public, admin, redis) = (free(), free(), Redis::start());
        let child = Command::new(gateway_bin())
            .envs([("GATEWAY_LISTEN", &public), ("GATEWAY_ADMIN_LISTEN", &admin), ("GATEWAY_REDIS_URL", &redis.url())])
            .envs([("GATEWAY_JWT_SECRET", SECRET), ("GATEWAY_LOG", "warn")])
            .spawn()
            .unwrap();
        let gateway = Self { child, public, redis };
        let ready = || {
            let mut stream = TcpStream::connect(&admin).ok()?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            answer.starts_with("HTTP/1.1 200").then_some(())
        };
        let ready = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            ready().is_some()
        });
        ready.then_some(gateway)
    }

    /// What a measurement is told of it.
    pub(crate) fn arguments(&self) -> [String; 6] {
        let (url, pid) = (format!("ws://{}/v1/ws", self.public), self.child.id().to_string());
        ["--url", &url, "--jwt-secret", SECRET, "--pid", &pid].map(str::to_owned)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
