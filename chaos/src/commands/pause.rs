//! Redis paused for 30 s.

use std::time::Duration;

use publisher::PublishError;
use tokio::time::{Instant, sleep, sleep_until};

use super::frame::{Run, conclude};
use crate::{
    cli::CommonArgs,
    defaults::PUBLISH_DEADLINE,
    drill::{Drill, percentile},
    terminal::line,
};

const PAUSE: Duration = Duration::from_secs(30);

pub(crate) async fn pause(args: CommonArgs) -> anyhow::Result<bool> {
    let run = Run::begin("pause", &args)?;
    let outcome = run.drill(&run.options(&args)?, async |drill| play(drill).await).await;
    Ok(conclude(run, outcome))
}

async fn play(drill: &mut Drill) -> anyhow::Result<Vec<String>> {
    let mut failures = vec![];
    sleep(Duration::from_secs(2)).await;
    let before = drill.sessions_ended();
    let company = drill.any_company();
    drill.site.redis.pause()?;
    let until = Instant::now() + PAUSE;
    let (mut slowest, mut last) = (Duration::ZERO, String::new());
    while Instant::now() + Duration::from_secs(1) < until {
        let (told, took) = drill.sender.try_once(&company).await;
        slowest = slowest.max(took);
        match told {
            Err(error @ (PublishError::Unavailable(_) | PublishError::Unknown(_))) => last = error.to_string(),
            other => failures.push(format!("a publish into a paused Redis ended with {other:?}")),
        }
        sleep(Duration::from_secs(1)).await;
    }
    sleep_until(until).await;
    let ended = drill.sessions_ended() - before;
    drill.site.redis.unpause()?;
    let mut times = drill.recover(Instant::now()).await.map_err(|error| anyhow::anyhow!(error))?;
    line(format!("Redis was paused for {} s; sessions that ended: {ended}", PAUSE.as_secs()));
    line(format!("publishers failed within {} ms: {last}", slowest.as_millis()));
    line(format!("all had caught up {} ms after it went on", percentile(&mut times, 100).as_millis()));
    if ended > 0 {
        failures.push(format!("{ended} sessions ended though only Redis was paused"));
    }
    if slowest > PUBLISH_DEADLINE * 2 {
        failures.push(format!("a publish took {} ms to fail", slowest.as_millis()));
    }
    Ok(failures)
}
