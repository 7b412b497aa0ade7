//! A child process that dies with us, however we die.

use std::{ffi::OsStr, fs::File, process::ExitStatus, time::Duration};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child as Process, Command};

use super::within;
use crate::defaults::PATIENCE;

/// A process that runs.
#[derive(Debug)]
pub(super) struct Child {
    name: String,
    process: Process,
    pid: Pid,
}

/// How a child is started.
pub(super) struct Start {
    name: String,
    command: Command,
}

impl Start {
    /// `setpriv` asks the kernel to kill the program when we die, and becomes it.
    pub(super) fn of(name: &str, program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(std::process::Stdio::null()).kill_on_drop(true);
        Self { name: name.to_owned(), command }
    }

    pub(super) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it; both of its outputs go to `log`.
    pub(super) fn log_to(mut self, log: File) -> anyhow::Result<Child> {
        self.command.stdout(log.try_clone()?).stderr(log);
        let process =
            self.command.spawn().with_context(|| format!("{} (setpriv of util-linux is needed)", self.name))?;
        let pid = process.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("it ended at once")?;
        Ok(Child { name: self.name, process, pid })
    }
}

impl Child {
    pub(super) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill_process(self.pid, signal).with_context(|| format!("{signal:?} to {}", self.name))
    }

    /// Ends it without warning and waits until it is gone.
    pub(super) async fn kill(mut self) -> anyhow::Result<()> {
        self.process.start_kill()?;
        self.exit(PATIENCE).await?;
        Ok(())
    }

    /// Waits for its end.
    pub(super) async fn exit(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        within(&what, patience, self.process.wait()).await?.context(what)
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        self.process.try_wait().is_ok_and(|status| status.is_some())
    }
}
