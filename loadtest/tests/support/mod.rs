//! A real Redis, and the program under test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

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

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
