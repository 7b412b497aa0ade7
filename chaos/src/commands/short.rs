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
    faults::{Fault, Ground, all, chosen},
    terminal::{line, spinner},
};

/// What is always there: Redis gone, links cut, data gone, a gateway gone.
const ALWAYS: [u8; 6] = [1, 4, 5, 6, 35, 36];

/// What does not fit.
const TOO_LONG: [u8; 2] = [38, 41];

/// Behind sentinels: the tail lost on promotion, the hardest of them.
const GUARDED: [u8; 1] = [10];

/// No further fault begins after this.
const TIME: Duration = Duration::from_secs(110);

pub(crate) async fn short(args: ShortArgs) -> anyhow::Result<bool> {
    let run = Run::begin("short", &args.common)?;
    let outcome = play(&run, &args).await;
    Ok(conclude(run, outcome))
}

async fn play(run: &Run, args: &ShortArgs) -> anyhow::Result<bool> {
    let options = Options { gateways: 2, ..run.options(&args.common)? };
    let mut dice = ChaCha8Rng::seed_from_u64(run.seed);
    let others = |number: u8| !ALWAYS.contains(&number) && !TOO_LONG.contains(&number);
    let grounds = [Ground::Plain, Ground::OwnNetwork];
    let mut others: Vec<_> =
        all().iter().filter(|fault| others(fault.number) && grounds.contains(&fault.ground)).collect();
    others.shuffle(&mut dice);
    others.truncate(args.extra);
    let mut faults = possible([chosen(&ALWAYS)?, others].concat(), &options);
    faults.shuffle(&mut dice);
    let plain = each(run, &options, "", &faults).await?;
    let guarded = Options { sentinels: true, ..options };
    let guarded = each(run, &guarded, " behind sentinels", &chosen(&GUARDED)?).await?;
    line(format!("{} passed, {} failed", plain.passed + guarded.passed, plain.failed + guarded.failed));
    Ok(plain.failed + guarded.failed == 0)
}

/// What a part came to.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

impl Counts {
    fn say(&mut self, what: &str, ok: bool) {
        line(format!("test {what} ... {}", if ok { "ok" } else { "FAILED" }));
        *(if ok { &mut self.passed } else { &mut self.failed }) += 1;
    }
}

/// One fault after the other in one world, and the judgement.
async fn each(run: &Run, options: &Options, place: &str, faults: &[&'static Fault]) -> anyhow::Result<Counts> {
    let began = Instant::now();
    let mut drill = Drill::start(&run.folder, options).await?;
    let progress = spinner("chaos");
    let (mut counts, mut failures) = (Counts::default(), Vec::new());
    for fault in faults {
        let name = format!("fault {} {}", fault.number, fault.name);
        if began.elapsed() > TIME {
            line(format!("test {name} ... ignored (out of time)"));
            continue;
        }
        progress.set_message(name.clone());
        let failure = drill.suffer(fault).await.failure;
        counts.say(&name, failure.is_none());
        failures.extend(failure.map(|failure| format!("{name}: {failure}")));
    }
    progress.finish_and_clear();
    let report = drill.finish().await;
    run.judge(&report, &failures);
    let kept = report.verdict.is_clean() && report.failures.is_empty();
    counts.say(&format!("nothing lost, nothing twice, nothing foreign{place}"), kept);
    Ok(counts)
}
