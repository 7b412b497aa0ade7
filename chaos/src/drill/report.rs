//! The end of a drill, and what it comes to.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Drill, Outcome, outcome::percentile};
use crate::{
    defaults::{PATIENCE, RECOVERY},
    faults::Resync,
    oracle::{Log, Verdict, check},
};

/// The stories of so many receivers are kept with the logs of a run that failed.
const SUSPECTS: usize = 20;

/// Everything that a drill showed.
pub(crate) struct Report {
    /// What the oracle says.
    pub(crate) verdict: Verdict,
    /// Promises that were broken beside those that the oracle judges.
    pub(crate) failures: Vec<String>,
    /// Facts acknowledged, in doubt, refused.
    pub(crate) facts: (usize, usize, usize),
}

impl Drill {
    /// Comes to rest and judges.
    pub(crate) async fn finish(&mut self) -> Report {
        self.finish_within(RECOVERY).await
    }

    /// Comes to rest, which receivers are given so much time for, and judges.
    pub(crate) async fn finish_within(&mut self, patience: Duration) -> Report {
        let mut failures = Vec::new();
        if let Some(flow) = self.flow.take()
            && let Err(error) = flow.stop(PATIENCE).await
        {
            failures.push(format!("{error:#}"));
        }
        match self.mark_all().await {
            Err(error) => failures.push(format!("{error:#}")),
            Ok(marks) => {
                let waits = self.receivers.iter().map(async |receiver| {
                    let (marker, at) = marks[&receiver.company];
                    // Who does not make it shows in the verdict.
                    let _late = timeout(patience, receiver.caught_up(marker, at)).await;
                });
                join_all(waits).await;
            }
        }
        let logs: Vec<Log> = self.receivers.iter().map(|receiver| receiver.log().clone()).collect();
        let ledger = self.sender.ledger();
        let verdict = check(&ledger, &logs);
        for log in logs.iter().filter(|log| verdict.suspects.contains(&log.name)).take(SUSPECTS) {
            let steps: Vec<String> = log.steps.iter().map(|step| format!("{step:?}")).collect();
            self.site.folder.write(&format!("{}.log", log.name), &steps.join("\n"));
        }
        Report { verdict, failures, facts: ledger.count() }
    }
}

/// The table of a run: one line for each kind of fault.
pub(crate) fn table(outcomes: &[Outcome]) -> Vec<String> {
    let mut kinds: BTreeMap<(u8, &str), Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        kinds.entry((outcome.fault.number, outcome.fault.name)).or_default().push(outcome);
    }
    let mut lines = vec![format!(
        "{:>3} {:<32} {:>5} {:>8} {:>8} {:>8} {:>8} {:>7}  {}",
        "#", "fault", "times", "sessions", "events", "p50 ms", "p99 ms", "resyncs", "why right"
    )];
    for ((number, name), outcomes) in kinds {
        let mut times: Vec<Duration> = outcomes.iter().flat_map(|outcome| outcome.recovery.clone()).collect();
        let resyncs: usize = outcomes.iter().map(|outcome| outcome.resync_count()).sum();
        let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
        let why = match outcomes[0].fault.resync {
            _ if failed > 0 => format!("FAILED {failed} times"),
            Resync::Right(why) if resyncs > 0 => why.to_owned(),
            _ => String::new(),
        };
        lines.push(format!(
            "{number:>3} {name:<32} {:>5} {:>8} {:>8} {:>8} {:>8} {resyncs:>7}  {why}",
            outcomes.len(),
            outcomes.iter().map(|outcome| outcome.touched).sum::<usize>(),
            outcomes.iter().map(|outcome| outcome.at_stake).sum::<u64>(),
            percentile(&mut times, 50).as_millis(),
            percentile(&mut times, 99).as_millis(),
        ));
    }
    lines
}
