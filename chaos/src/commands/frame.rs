//! What every command begins and ends with.

use std::sync::Arc;

use crate::{
    cli::CommonArgs,
    drill::{Drill, Options, Report},
    receiver::Habits,
    terminal::{line, problem},
    world::{Folder, Pace},
};

/// A run: its seed and its folder.
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) folder: Arc<Folder>,
}

impl Run {
    /// Says the seed.
    pub(super) fn begin(name: &str, common: &CommonArgs) -> anyhow::Result<Self> {
        let seed = common.seed();
        line(format!("chaos {name} --seed {seed}"));
        Ok(Self { seed, folder: Arc::new(Folder::create(seed)?) })
    }

    /// A drill of honest receivers and publishers.
    pub(super) fn options(&self, common: &CommonArgs) -> anyhow::Result<Options> {
        anyhow::ensure!(!common.transports.is_empty(), "--transports: at least one");
        Ok(Options {
            seed: self.seed,
            sessions: 60,
            companies: 10,
            rate: 100,
            gateways: 2,
            spare: 0,
            balancers: 1,
            pace: Pace::quick(),
            transports: common.transports.clone(),
            program: common.program()?,
            other_build: None,
            sentinels: false,
            cluster: false,
            habits: Habits::GOOD,
            careless: false,
            wrong_tokens: false,
        })
    }

    /// Prints what a drill came to.
    pub(super) fn judge(&self, report: &Report, failures: &[String]) -> bool {
        let (acknowledged, open, refused) = report.facts;
        let verdict = &report.verdict;
        line(format!(
            "{acknowledged} events acknowledged, {open} in doubt, {refused} refused; {} deliveries applied, {} wire \
             duplicates kept out, {} losses told, {} events covered by them",
            verdict.applied, verdict.wire_duplicates, verdict.jumps, verdict.excused
        ));
        if verdict.untold > 0 {
            line(format!(
                "{} times Redis lost an event before a receiver had it, and nobody could know",
                verdict.untold
            ));
        }
        if verdict.repeated > 0 {
            line(format!(
                "{} deliveries were of publishers' retries that Redis, having lost its data, no longer knew",
                verdict.repeated
            ));
        }
        line(verdict.to_string());
        let mut all: Vec<String> = report.failures.iter().chain(failures).cloned().collect();
        all.extend(verdict.findings.iter().map(|(kind, what)| format!("{kind:?}: {what}")));
        for failure in &all {
            self.folder.note(&format!("FAILED {failure}"));
        }
        all.iter().take(20).for_each(problem);
        if all.len() > 20 {
            problem(format!("and {} more, see journal.log", all.len() - 20));
        }
        all.is_empty()
    }

    /// Keeps the logs of a run that failed and says where they are. After the drill was let go of.
    pub(super) fn end(self, kept: bool) -> bool {
        if !kept {
            problem(format!("failed with --seed {}", self.seed));
            match Arc::try_unwrap(self.folder) {
                Ok(mut folder) => problem(format!("logs are in {}", folder.keep().display())),
                Err(folder) => problem(format!("logs were in {}", folder.path().display())),
            }
        }
        kept
    }

    /// Runs a drill to its judgement, whatever happens on the way.
    pub(super) async fn drill(
        &self,
        options: &Options,
        play: impl AsyncFnOnce(&mut Drill) -> anyhow::Result<Vec<String>>,
    ) -> anyhow::Result<bool> {
        let mut drill = Drill::start(&self.folder, options).await?;
        let failures = play(&mut drill).await.unwrap_or_else(|error| vec![format!("{error:#}")]);
        let report = drill.finish().await;
        Ok(self.judge(&report, &failures))
    }
}

/// Ends a run the same way whether it failed or could not go on.
pub(super) fn conclude(run: Run, outcome: anyhow::Result<bool>) -> bool {
    let kept = outcome.unwrap_or_else(|error| {
        problem(format!("{error:#}"));
        false
    });
    run.end(kept)
}
