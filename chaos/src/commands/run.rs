//! Mixed faults for as long as asked.

use std::time::Duration;

use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use tokio::time::Instant;

use super::frame::{Run, conclude};
use crate::{
    cli::RunArgs,
    drill::{Drill, Options, Outcome, table},
    faults::{Fault, Ground, all, chosen},
    terminal::{line, problem, spinner},
    world::{Loss, faketime},
};

pub(crate) async fn run(args: RunArgs) -> anyhow::Result<bool> {
    let run = Run::begin("run", &args.common)?;
    let outcome = play(&run, &args).await;
    Ok(conclude(run, outcome))
}

async fn play(run: &Run, args: &RunArgs) -> anyhow::Result<bool> {
    let faults = if args.faults.is_empty() { all().iter().collect() } else { chosen(&args.faults)? };
    let options = Options {
        sessions: args.sessions,
        companies: args.companies,
        rate: args.rate,
        gateways: args.gateways,
        other_build: args.old_gateway_bin.clone(),
        ..run.options(&args.common)?
    };
    let total = Duration::from_secs_f64(args.minutes * 60.0);
    let faults = possible(faults, &options);
    let (guarded, plain): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.ground == Ground::Guarded);
    let share = if plain.is_empty() { 1.0 } else { 0.2 };
    let mut outcomes = Vec::new();
    let mut kept = true;
    let parts = [(plain, if guarded.is_empty() { 1.0 } else { 1.0 - share }, false), (guarded, share, true)];
    for (faults, share, sentinels) in parts.into_iter().filter(|(faults, ..)| !faults.is_empty()) {
        let options = Options { sentinels, ..options.clone() };
        let (these, verdict) = mixed(run, &options, &faults, total.mul_f64(share)).await?;
        outcomes.extend(these);
        kept &= verdict;
    }
    table(&outcomes).iter().for_each(line);
    Ok(kept)
}

/// Leaves out what cannot be done here, and says so.
pub(super) fn possible(faults: Vec<&'static Fault>, options: &Options) -> Vec<&'static Fault> {
    let can = |fault: &&'static Fault| {
        let missing = match fault.ground {
            Ground::Plain | Ground::Guarded | Ground::Cluster => None,
            Ground::TwoBuilds => options.other_build.is_none().then_some("no --old-gateway-bin"),
            Ground::OwnNetwork => Loss::missing(),
            Ground::WrongClock => faketime().is_none().then_some("no faketime"),
        };
        if let Some(missing) = missing {
            line(format!("left out: {} {} ({missing})", fault.number, fault.name));
        }
        missing.is_none()
    };
    faults.into_iter().filter(can).collect()
}

/// Every fault once in random order, then again, until the time is up.
async fn mixed(
    run: &Run,
    options: &Options,
    faults: &[&'static Fault],
    time: Duration,
) -> anyhow::Result<(Vec<Outcome>, bool)> {
    let mut dice = ChaCha8Rng::seed_from_u64(options.seed ^ 0x0f);
    let mut outcomes = Vec::new();
    let until = Instant::now() + time;
    let mut drill = Drill::start(&run.folder, options).await?;
    let progress = spinner("chaos");
    let mut order = Vec::new();
    while Instant::now() < until {
        if order.is_empty() {
            order = faults.to_vec();
            order.shuffle(&mut dice);
        }
        let Some(fault) = order.pop() else { break };
        progress.set_message(format!("{} faults so far, now {} {}", outcomes.len(), fault.number, fault.name));
        let outcome = drill.suffer(fault).await;
        if let Some(failure) = &outcome.failure {
            progress.suspend(|| problem(format!("fault {} {}: {failure}", fault.number, fault.name)));
        }
        outcomes.push(outcome);
    }
    progress.finish_and_clear();
    let report = drill.finish().await;
    let failures: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| {
            let failure = outcome.failure.as_ref()?;
            Some(format!("fault {} {}: {failure}", outcome.fault.number, outcome.fault.name))
        })
        .collect();
    Ok((outcomes, run.judge(&report, &failures)))
}
