//! What was measured, as a file: one JSON document per generator and run. Several files add up in a [`report`].

mod figures;
mod machine;
mod merge;
mod plot;
pub(crate) mod report;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use serde::{Deserialize, Serialize};

pub(crate) use self::{figures::headline, machine::Machine};
use crate::{
    measure::{fanout, idle, latency, resume, soak, storm, verdict::Outcome, wide},
    system::{About, Kind},
};

/// A bench has no second generator beside it.
pub(crate) const BENCH: &str = "bench";

/// A file of results.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Results {
    /// Where it ran.
    pub(crate) machine: Machine,
    /// What ran.
    pub(crate) systems: BTreeMap<Kind, About>,
    /// In the order of time.
    pub(crate) runs: Vec<Run>,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    /// Of what.
    pub(crate) system: Kind,
    /// Which repetition, from 1. Runs of one round by several generators belong together.
    pub(crate) round: u32,
    /// Who measured: a generator's name, or [`BENCH`].
    pub(crate) generator: String,
    /// What came of it.
    pub(crate) outcome: Measured,
}

/// The result of any measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "measure", rename_all = "camelCase")]
pub(crate) enum Measured {
    /// Memory and heartbeats.
    Idle(idle::Report),
    /// Deliveries a second that are held.
    Fanout(fanout::Report),
    /// CPU per delivery at one rate.
    Cpu(fanout::Report),
    /// One room.
    Wide(wide::Report),
    /// Connects.
    Storm(storm::Report),
    /// Light load.
    Latency(latency::Report),
    /// After an outage.
    Resume(resume::Report),
    /// An hour.
    Soak(soak::Report),
    /// It could not be measured.
    Failed {
        /// Which measurement.
        what: String,
        /// Why.
        why: String,
    },
}

impl Results {
    /// Nothing yet, on this machine.
    pub(crate) fn here() -> Self {
        Self { machine: Machine::this(), systems: BTreeMap::new(), runs: Vec::new() }
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} holds no results", path.display()))
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        save(path, &(serde_json::to_string_pretty(self)? + "\n"))
    }
}

/// Writes a file, and the folder that it lies in.
fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

impl Measured {
    /// The load that it was made with, in a line.
    fn load(&self) -> Option<String> {
        let line = self.lines().into_iter().next();
        match self {
            Self::Failed { .. } => None,
            Self::Cpu(fanout) => Some(format!("{}, {:.0} deliveries a second", line?, fanout.steps.first()?.offered)),
            _ => line,
        }
    }
}

impl Outcome for Measured {
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Idle(report) => report.lines(),
            Self::Fanout(report) | Self::Cpu(report) => report.lines(),
            Self::Wide(report) => report.lines(),
            Self::Storm(report) => report.lines(),
            Self::Latency(report) => report.lines(),
            Self::Resume(report) => report.lines(),
            Self::Soak(report) => report.lines(),
            Self::Failed { what, why } => vec![format!("{what}: {why}")],
        }
    }

    fn missed(&self) -> Vec<String> {
        match self {
            Self::Idle(report) => report.missed(),
            Self::Fanout(report) | Self::Cpu(report) => report.missed(),
            Self::Wide(report) => report.missed(),
            Self::Storm(report) => report.missed(),
            Self::Latency(report) => report.missed(),
            Self::Resume(report) => report.missed(),
            Self::Soak(report) => report.missed(),
            Self::Failed { what, why } => vec![format!("{what}: {why}")],
        }
    }
}
