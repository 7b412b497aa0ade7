//! One sequence, read at once by WebSocket, SSE and polling, through faults that each of them feels.

use std::collections::BTreeMap;

use shared::Cursor;

use super::frame::{Run, conclude};
use crate::{
    cli::CommonArgs,
    drill::{Drill, Options},
    faults::chosen,
    oracle::Step,
    receiver::Transport,
    terminal::line,
};

/// Links cut, a gateway killed, one drained.
const ORDEALS: [u8; 3] = [4, 35, 36];

pub(crate) async fn transports(args: CommonArgs) -> anyhow::Result<bool> {
    let run = Run::begin("transports", &args)?;
    let outcome = play(&run, &args).await;
    Ok(conclude(run, outcome))
}

async fn play(run: &Run, args: &CommonArgs) -> anyhow::Result<bool> {
    let options = Options { sessions: 12, companies: 2, ..run.options(args)? };
    let mut drill = Drill::start(&run.folder, &options).await?;
    let mut failures = vec![];
    for fault in chosen(&ORDEALS)? {
        failures.extend(drill.suffer(fault).await.failure);
    }
    let report = drill.finish().await;
    for company in drill.companies.clone() {
        let mut sequences: BTreeMap<String, Vec<(Cursor, u64)>> = BTreeMap::new();
        for receiver in drill.receivers.iter().filter(|receiver| receiver.company == company) {
            sequences.insert(receiver.name().to_owned(), applied(&receiver.log().steps));
        }
        let first = sequences.values().next().cloned().unwrap_or_default();
        let kinds: Vec<Transport> = options.transports.clone();
        if sequences.values().all(|sequence| *sequence == first) && !first.is_empty() {
            line(format!("{company}: the same {} events in {} receivers over {kinds:?}", first.len(), sequences.len()));
        } else {
            let lengths: Vec<_> = sequences.iter().map(|(name, sequence)| (name, sequence.len())).collect();
            failures.push(format!("{company}: sequences differ: {lengths:?}"));
        }
    }
    Ok(run.judge(&report, &failures))
}

/// What was applied. All have joined before the first event was published.
fn applied(steps: &[Step]) -> Vec<(Cursor, u64)> {
    let event = |step: &Step| match step {
        Step::Event { at, fact } => Some((*at, *fact)),
        _ => None,
    };
    steps.iter().filter_map(event).collect()
}
