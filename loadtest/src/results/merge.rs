//! Adds up what several generators measured at the same time: counts and rates are summed, distributions joined.

use super::{BENCH, Measured, Results, Run};

impl Results {
    /// Several files as one. Runs of different generators with the same system, round and measure become one run.
    pub(crate) fn merged(files: impl IntoIterator<Item = Self>) -> anyhow::Result<Self> {
        let mut files = files.into_iter();
        let mut all = files.next().ok_or_else(|| anyhow::anyhow!("no results"))?;
        for file in files {
            all.systems.extend(file.systems);
            for run in file.runs {
                all.take(run)?;
            }
        }
        Ok(all)
    }

    fn take(&mut self, run: Run) -> anyhow::Result<()> {
        let other = self
            .runs
            .iter_mut()
            .find(|own| own.system == run.system && own.round == run.round && own.outcome.name() == run.outcome.name());
        match other {
            Some(own) if own.generator.split('+').any(|name| name == run.generator) => {
                anyhow::bail!("{} of round {} is there twice from {}", run.outcome.name(), run.round, run.generator)
            }
            Some(own) if own.generator == BENCH || run.generator == BENCH => {
                anyhow::bail!("{} of round {} is there from a bench already", run.outcome.name(), run.round)
            }
            Some(own) => {
                own.outcome = own.outcome.and(&run.outcome)?;
                own.generator = format!("{}+{}", own.generator, run.generator);
            }
            None => self.runs.push(run),
        }
        Ok(())
    }
}

impl Measured {
    /// The measure's name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Idle(_) => "idle",
            Self::Fanout(_) => "fanout",
            Self::Cpu(_) => "cpu",
            Self::Wide(_) => "wide",
            Self::Storm(_) => "storm",
            Self::Latency(_) => "latency",
            Self::Resume(_) => "resume",
            Self::Soak(_) => "soak",
            Self::Failed { what, .. } => what,
        }
    }

    fn and(&self, other: &Self) -> anyhow::Result<Self> {
        match (self, other) {
            (Self::Fanout(one), Self::Fanout(other)) => one.and(other).map(Self::Fanout),
            (Self::Cpu(one), Self::Cpu(other)) => one.and(other).map(Self::Cpu),
            (Self::Latency(one), Self::Latency(other)) => one.and(other).map(Self::Latency),
            (Self::Storm(one), Self::Storm(other)) => one.and(other).map(Self::Storm),
            _ => anyhow::bail!("what several generators measure of {} does not add up", self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Kind;

    fn file(generator: &str, what: &str) -> Results {
        let outcome = Measured::Failed { what: what.to_owned(), why: String::new() };
        let mut results = Results::here();
        results.runs.push(Run { system: Kind::Gateway, round: 1, generator: generator.to_owned(), outcome });
        results
    }

    #[test]
    fn what_did_not_happen_together_does_not_add_up() {
        let error = |files: [Results; 2]| Results::merged(files).unwrap_err().to_string();
        assert!(error([file("bench", "storm"), file("load", "storm")]).contains("from a bench"));
        assert!(error([file("one+two", "storm"), file("two", "storm")]).contains("twice from two"));
        let merged = Results::merged([file("bench", "storm"), file("load", "soak")]).unwrap();
        assert_eq!(merged.runs.len(), 2);
        assert!(Results::merged([]).is_err());
    }
}
