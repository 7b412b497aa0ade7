//! A Redis Cluster under load: each of its faults once, in a fixed order.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    frame::{Run, conclude},
    restart::load,
};
use crate::{
    cli::ClusterArgs,
    drill::{Drill, Options, table},
    faults::{Fault, sharded},
    terminal::line,
};

/// How long there is load before the first.
const WARM: Duration = Duration::from_secs(3);

pub(crate) async fn cluster(args: ClusterArgs) -> anyhow::Result<bool> {
    let run = Run::begin("cluster", &args.load.common)?;
    let faults: Vec<_> = sharded().iter().filter(|fault| !args.short || QUICK.contains(&fault.name)).collect();
    let options = Options { cluster: true, ..load(&run, &args.load)? };
    let outcome = run.drill(&options, async |drill| play(drill, &faults).await).await;
    Ok(conclude(run, outcome))
}

/// Those of the short version.
const QUICK: [&str; 2] = ["slots resharded", "primary killed"];

async fn play(drill: &mut Drill, faults: &[&'static Fault]) -> anyhow::Result<Vec<String>> {
    sleep(WARM).await;
    let mut outcomes = Vec::new();
    for fault in faults {
        outcomes.push(drill.suffer(fault).await);
    }
    table(&outcomes).iter().for_each(line);
    let failure = |outcome: &crate::drill::Outcome| {
        outcome.failure.as_ref().map(|failure| format!("{}: {failure}", outcome.fault.name))
    };
    Ok(outcomes.iter().filter_map(failure).collect())
}
