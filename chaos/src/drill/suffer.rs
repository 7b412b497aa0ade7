//! One fault, from before it to after everybody has recovered.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::{Drill, Outcome};
use crate::{
    defaults::RECOVERY,
    faults::{Fault, Resync},
    oracle::Step,
    receiver::Progress,
};

/// The longest fault, with its heal.
const LONGEST: Duration = Duration::from_secs(90);

impl Drill {
    /// Injects a fault, waits for the heal, and until everybody has caught up.
    pub(crate) async fn suffer(&mut self, fault: &'static Fault) -> Outcome {
        self.site.folder.note(&format!("fault {} {}", fault.number, fault.name));
        let before: Vec<(Progress, usize)> =
            self.receivers.iter().map(|receiver| (receiver.progress(), receiver.log().steps.len())).collect();
        let issued = self.sender.issued();
        if fault.resync != Resync::Never {
            self.sender.ledger().redis_forgot();
        }
        self.recovery = None;
        let injected = match timeout(LONGEST, (fault.inject)(self)).await {
            Ok(injected) => injected.map_err(|error| format!("{error:#}")),
            Err(_) => Err(format!("not over within {} s", LONGEST.as_secs())),
        };
        let healed = Instant::now();
        let at_stake = self.sender.issued() - issued;
        self.site.folder.note("healed");
        // A fault that failed half-way may have left gateways down.
        let relaunched = self.site.relaunch().await.map_err(|error| format!("{error:#}"));
        let recovered = match self.recovery.take() {
            Some(recovery) => recovery,
            None => self.recover(healed).await,
        };
        let recovery = recovered.as_ref().map_or(vec![], Clone::clone);
        let (mut touched, mut resyncs) = (0, BTreeMap::new());
        for (receiver, (progress, steps)) in self.receivers.iter().zip(&before) {
            touched += usize::from(receiver.progress().was_touched_since(progress));
            for step in &receiver.log().steps[*steps..] {
                if let Step::Jump { reason, to, .. } = step {
                    if fault.resync == Resync::Never {
                        self.site.folder.note(&format!("{} was told {reason}, and goes on from {to}", receiver.name()));
                    }
                    *resyncs.entry(reason.to_string()).or_default() += 1;
                }
            }
        }
        let mut outcome = Outcome { fault, touched, at_stake, recovery, resyncs, failure: None };
        let unexpected = match fault.resync {
            Resync::Never if outcome.resync_count() > 0 => Err(format!("unexpected resyncs: {:?}", outcome.resyncs)),
            _ => Ok(()),
        };
        let failures = [injected.err(), relaunched.err(), recovered.err(), unexpected.err()];
        outcome.failure = failures.into_iter().flatten().reduce(|all, one| format!("{all}; {one}"));
        let failure = outcome.failure.as_deref().unwrap_or("ok");
        self.site.folder.note(&format!("recovered; touched {touched}, resyncs {:?}: {failure}", outcome.resyncs));
        outcome
    }

    /// The fault is healed now, whatever its injection has to tidy up after this.
    pub(crate) async fn heal(&mut self) {
        self.recovery = Some(self.recover(Instant::now()).await);
    }

    /// Publishes a marker to everybody and waits for it; how long after `healed` each had caught up.
    pub(crate) async fn recover(&self, healed: Instant) -> Result<Vec<Duration>, String> {
        let marks = self.mark_all().await.map_err(|error| format!("{error:#}"))?;
        let caught_up = join_all(self.receivers.iter().map(async |receiver| {
            let (marker, at) = marks[&receiver.company];
            let when = timeout(RECOVERY, receiver.caught_up(marker, at)).await;
            when.map_err(|_| format!("{} (waits for {at})", receiver.name()))
        }));
        let mut times = Vec::with_capacity(self.receivers.len());
        let mut stuck = Vec::new();
        for when in caught_up.await {
            match when {
                Ok(when) => times.push(when.saturating_duration_since(healed)),
                Err(who) => stuck.push(who),
            }
        }
        if stuck.is_empty() {
            return Ok(times);
        }
        stuck.truncate(5);
        Err(format!(
            "not caught up within {} s: {} of {}, such as {}",
            RECOVERY.as_secs(),
            self.receivers.len() - times.len(),
            self.receivers.len(),
            stuck.join(", ")
        ))
    }
}
