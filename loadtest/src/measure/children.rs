//! The Redis and the gateway of a bench: started on free ports, awaited, and ended when dropped.

use std::{
    future::pending,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::{Instant, sleep},
};

use super::process::family;

/// How long a child may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to start.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Programs {
    /// The gateway's program; a release build [default: `gateway` beside this program]
    #[arg(long, value_name = "PATH")]
    gateway_bin: Option<PathBuf>,
    /// The Redis to start
    #[arg(long, value_name = "PATH", default_value = "redis-server")]
    pub(crate) redis_bin: PathBuf,
}

impl Programs {
    /// The gateway's program.
    pub(crate) fn gateway_bin(&self) -> anyhow::Result<PathBuf> {
        match &self.gateway_bin {
            Some(program) => Ok(program.clone()),
            None => Ok(std::env::current_exe()?.with_file_name("gateway")),
        }
    }

    /// Starts a gateway.
    pub(crate) async fn gateway(&self, redis: &str, secret: &str) -> anyhow::Result<Gateway> {
        Gateway::start(&self.gateway_bin()?, redis, secret, &[]).await
    }
}

/// A child that does not outlive us, nor do those that it has started.
pub(crate) struct Guard(pub(crate) Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let family = family(self.0.id()).unwrap_or_default();
        let _ended_by_itself = self.0.kill();
        let _reaped = self.0.wait();
        // The child itself is reaped and its number may be another's by now.
        for pid in family.into_iter().skip(1).filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            let _gone = kill_process(pid, Signal::KILL);
        }
    }
}

/// A Redis without persistence.
pub(crate) struct Redis {
    /// Its process.
    pub(crate) child: Guard,
    /// Where it is.
    pub(crate) url: String,
}

impl Redis {
    /// Starts one and waits until it answers.
    pub(crate) async fn start(program: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
        command.args(["--save", "", "--appendonly", "no"]).current_dir(std::env::temp_dir());
        let mut child = spawn(command, program)?;
        until(&mut child, async || {
            exchange(address, b"PING\r\n").await.is_ok_and(|answer| answer.starts_with(b"+PONG"))
        })
        .await?;
        Ok(Self { child, url: format!("redis://{address}") })
    }
}

/// A gateway on that Redis.
pub(crate) struct Gateway {
    pub(crate) child: Guard,
    /// Its public address.
    pub(crate) public: SocketAddr,
    /// Its metrics.
    pub(crate) metrics: String,
    /// Its Redis.
    pub(crate) redis: String,
    /// What signs tokens.
    pub(crate) secret: String,
}

impl Gateway {
    /// Starts one with its defaults and waits until it is ready.
    pub(crate) async fn start(
        program: &Path,
        redis: &str,
        secret: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::start_at(free_address()?, program, redis, secret, settings).await
    }

    /// Starts one that listens there.
    pub(crate) async fn start_at(
        public: SocketAddr,
        program: &Path,
        redis: &str,
        secret: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let admin = free_address()?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GATEWAY_")) {
            command.env_remove(name);
        }
        command
            .env("GATEWAY_LISTEN", public.to_string())
            .env("GATEWAY_ADMIN_LISTEN", admin.to_string())
            .env("GATEWAY_REDIS_URL", redis)
            .env("GATEWAY_JWT_SECRET", secret)
            .env("GATEWAY_LOG", "warn")
            .envs(settings.iter().copied());
        let mut child = spawn(command, program)?;
        let ready = format!("GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
        until(&mut child, async || {
            exchange(admin, ready.as_bytes()).await.is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
        })
        .await?;
        Ok(Self {
            child,
            public,
            metrics: format!("http://{admin}/metrics"),
            redis: redis.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }
}

/// Waits for Ctrl-C or SIGTERM. Whoever has children waits for it beside its work, so that they end with what is dropped.
pub(crate) async fn interrupted() -> ExitCode {
    let told_to_end = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => pending().await,
        }
    };
    tokio::select! {
        _ = ctrl_c() => {}
        _ = told_to_end => {}
    }
    ExitCode::from(130)
}

/// A secret of 64 characters for one run.
pub(crate) fn secret() -> String {
    (0..4).map(|_| format!("{:016x}", rand::random::<u64>())).collect()
}

/// Its errors and warnings are shown, the rest is not.
pub(crate) fn spawn(mut command: Command, program: &Path) -> anyhow::Result<Guard> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().map(Guard).with_context(|| format!("cannot start {}", program.display()))
}

/// Waits until a child is ready.
pub(crate) async fn until(child: &mut Guard, ready: impl AsyncFn() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !ready().await {
        if let Some(status) = child.0.try_wait()? {
            bail!("a child ended at once: {status}");
        }
        anyhow::ensure!(Instant::now() < deadline, "a child was not ready within {} s", PATIENCE.as_secs());
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The beginning of the answer to a request.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = vec![0; 64];
    let read = stream.read(&mut answer).await?;
    answer.truncate(read);
    Ok(answer)
}

/// A port that nobody listens on.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
