//! A `redis-server` of the test's own, which can be killed, paused and started again.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};

use redis::{FromRedisValue, RedisError};
use tempfile::TempDir;

use super::eventually;

/// The folder of the append-only file.
const AOF: &str = "appendonlydir";

/// One Redis on its own port and in its own folder.
pub(crate) struct Redis {
    child: Option<Child>,
    port: u16,
    folder: TempDir,
    durable: bool,
    /// Further settings, as words of the command line.
    settings: Vec<String>,
    /// `user:password@` of somebody who may do everything.
    login: String,
}

impl Redis {
    /// A Redis that forgets everything when it ends.
    pub(crate) async fn start() -> Self {
        let mut redis = Self::absent();
        redis.launch().await;
        redis
    }

    /// A Redis that has on disk whatever it has answered.
    pub(crate) async fn durable() -> Self {
        let mut redis = Self::absent();
        redis.durable = true;
        redis.launch().await;
        redis
    }

    /// A Redis with settings of the test's own, and who may still do everything there, as `user:password@`.
    pub(crate) async fn with_settings(settings: &[&str], login: &str) -> Self {
        let mut redis = Self::absent();
        redis.settings = settings.iter().map(|&word| word.to_owned()).collect();
        login.clone_into(&mut redis.login);
        redis.launch().await;
        redis
    }

    /// The place of a Redis that does not run yet.
    pub(crate) fn absent() -> Self {
        Self {
            child: None,
            port: free_port(),
            folder: TempDir::new().unwrap(),
            durable: false,
            settings: vec![],
            login: String::new(),
        }
    }

    /// Starts it, or starts it again on the same port and with the same folder.
    pub(crate) async fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let durable = if self.durable { "yes" } else { "no" };
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", ""])
            .args(["--appendonly", durable, "--appendfsync", "always"])
            .args(["--dir", self.folder.path().to_str().unwrap(), "--logfile", "redis.log"])
            .args(&self.settings)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server runs");
        self.child = Some(child);
        eventually("the start of redis-server", async || self.try_command::<String>(&["PING"]).await).await;
    }

    pub(crate) fn url(&self) -> String {
        self.url_of(&self.login)
    }

    /// The URL of somebody, as `user:password@`.
    pub(crate) fn url_of(&self, login: &str) -> String {
        format!("redis://{login}{}/", self.address())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Ends it without warning, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// A copy of what is on disk now.
    pub(crate) fn backup(&self) -> TempDir {
        let copy = TempDir::new().unwrap();
        copy_files(&self.folder.path().join(AOF), copy.path());
        copy
    }

    /// Puts a copy back in the place of what is on disk, as a replica does that missed the end of the story.
    pub(crate) fn restore(&self, backup: &TempDir) {
        assert!(self.child.is_none(), "it runs");
        let place = self.folder.path().join(AOF);
        std::fs::remove_dir_all(&place).unwrap();
        std::fs::create_dir(&place).unwrap();
        copy_files(backup.path(), &place);
    }

    /// Stops it in its tracks: connections stay open and nothing answers.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn unpause(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        signal_process(self.child.as_ref().expect("it runs").id(), signal);
    }

    /// Runs one command.
    pub(crate) async fn command<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.command_bytes(&words).await
    }

    /// Runs one command whose words need not be text.
    pub(crate) async fn command_bytes<T: FromRedisValue>(&self, words: &[&[u8]]) -> T {
        self.run(words).await.unwrap_or_else(|error| panic!("{:?}: {error}", String::from_utf8_lossy(words[0])))
    }

    async fn try_command<T: FromRedisValue>(&self, words: &[&str]) -> Result<T, RedisError> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.run(&words).await
    }

    async fn run<T: FromRedisValue>(&self, words: &[&[u8]]) -> Result<T, RedisError> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut connection).await
    }

    /// The channels of companies that somebody listens to, sorted.
    pub(crate) async fn company_channels(&self) -> Vec<String> {
        let mut channels: Vec<String> = self.command(&["PUBSUB", "CHANNELS", "company:*"]).await;
        channels.sort();
        channels
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("redis.log")).unwrap_or_default();
            eprintln!("--- redis-server on {}\n{log}", self.port);
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Sends a signal by its name; `kill(2)` itself would need `unsafe`.
pub(crate) fn signal_process(pid: u32, signal: &str) {
    let done = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().unwrap();
    assert!(done.success(), "kill -{signal} {pid}");
}

/// A port below those that the kernel hands out to outgoing connections, so that nobody takes it while Redis is down.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 16_000 + u16::try_from(std::process::id() % 8_000).unwrap();
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
