//! A selection for `make test`.

use std::time::Duration;

use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use tokio::time::Instant;

use super::{
    frame::{Run, conclude},
    run::possible,
};
use crate::{
    cli::ShortArgs,
    drill::{Drill, Options},
    faults::{Ground, all, chosen},
    terminal::{line, spinner},
};

/// What is always there: Redis gone, links cut, data gone, a gateway gone.
const ALWAYS: [u8; 6] = [1, 4, 5, 6, 35, 36];

/// What does not fit.
const TOO_LONG: [u8; 2] = [38, 41];

/// No further fault begins after this.
const TIME: Duration = Duration::from_secs(110);

pub(crate) async fn short(args: ShortArgs) -> anyhow::Result<bool> {
    let run = Run::begin("short", &args.common)?;
    let outcome = play(&run, &args).await;
    Ok(conclude(run, outcome))
}

async fn play(run: &Run, args: &ShortArgs) -> anyhow::Result<bool> {
    let began = Instant::now();
    let options = Options { gateways: 2, ..run.options(&args.common)? };
    let mut dice = ChaCha8Rng::seed_from_u64(run.seed);
    let others = |number: u8| !ALWAYS.contains(&number) && !TOO_LONG.contains(&number);
    let mut others: Vec<_> =
        all().iter().filter(|fault| others(fault.number) && fault.ground == Ground::Plain).collect();
    others.shuffle(&mut dice);
    others.truncate(args.extra);
    let mut faults = possible([chosen(&ALWAYS)?, others].concat(), &options);
    faults.shuffle(&mut dice);
    let mut drill = Drill::start(&run.folder, &options).await?;
    let progress = spinner("chaos");
    let (mut passed, mut failures) = (0, Vec::new());
    for fault in faults {
        let name = format!("fault {} {}", fault.number, fault.name);
        if began.elapsed() > TIME {
            line(format!("test {name} ... ignored (out of time)"));
            continue;
        }
        progress.set_message(name.clone());
        let outcome = drill.suffer(fault).await;
        match outcome.failure {
            None => {
                passed += 1;
                line(format!("test {name} ... ok"));
            }
            Some(failure) => {
                line(format!("test {name} ... FAILED"));
                failures.push(format!("{name}: {failure}"));
            }
        }
    }
    progress.finish_and_clear();
    let failed = failures.len();
    let report = drill.finish().await;
    let judged = run.judge(&report, &failures);
    let verdict = usize::from(report.verdict.is_clean() && report.failures.is_empty());
    line(format!(
        "test nothing lost, nothing twice, nothing foreign ... {}",
        if verdict == 1 { "ok" } else { "FAILED" }
    ));
    line(format!("{} passed, {} failed", passed + verdict, failed + 1 - verdict));
    Ok(judged)
}
