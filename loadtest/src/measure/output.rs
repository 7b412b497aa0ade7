//! Where a result goes: to people, or as JSON to programs, and into a file of results.

use std::{path::PathBuf, process::ExitCode};

use super::verdict::conclude;
use crate::{
    results::{Measured, Results, Run},
    system::Kind,
};

/// How a result is told.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Output {
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the result to this file too, for `loadtest report`
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// This generator's name; the companies of its sessions begin with it
    #[arg(long, value_name = "NAME", default_value = "load")]
    pub(crate) name: String,
}

impl Output {
    /// Tells what came of a measurement of the gateway.
    pub(crate) fn conclude(&self, outcome: Measured) -> anyhow::Result<ExitCode> {
        let code = conclude(&outcome, self.json)?;
        if let Some(path) = &self.report {
            let mut results = Results::here();
            results.systems.insert(Kind::Gateway, Kind::Gateway.about(None));
            results.runs.push(Run { system: Kind::Gateway, round: 1, generator: self.name.clone(), outcome });
            results.write(path)?;
        }
        Ok(code)
    }
}
