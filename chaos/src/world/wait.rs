//! Waiting, always with an end.

use std::{fmt::Display, time::Duration};

use anyhow::bail;
use tokio::time::{Instant, sleep, timeout};

use crate::defaults::PROBE_INTERVAL;

/// Asks until the answer is there. For what can only be asked: the state of other processes.
pub(crate) async fn eventually<T, E: Display>(
    what: &str,
    patience: Duration,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        let why = match timeout(patience, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => format!("{why:#}"),
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() >= deadline {
            bail!("{what}: not within {} s: {why}", patience.as_secs_f32());
        }
        sleep(PROBE_INTERVAL).await;
    }
}

/// Bounds a step in time.
pub(crate) async fn within<T>(what: &str, patience: Duration, step: impl Future<Output = T>) -> anyhow::Result<T> {
    match timeout(patience, step).await {
        Ok(done) => Ok(done),
        Err(_) => bail!("{what}: not within {} s", patience.as_secs_f32()),
    }
}
