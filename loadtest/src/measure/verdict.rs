//! Results: printed for people or as JSON, and what they mean for the exit code.

use std::process::ExitCode;

use serde::Serialize;

use crate::terminal;

/// What a measurement came to.
pub(crate) trait Outcome: Serialize {
    /// The lines that people read.
    fn lines(&self) -> Vec<String>;
    /// What was promised or asked for and not kept; empty when all is well.
    fn missed(&self) -> Vec<String>;
}

/// Prints a result; the exit code says whether all bounds were kept.
pub(crate) fn conclude(outcome: &impl Outcome, json: bool) -> anyhow::Result<ExitCode> {
    let missed = outcome.missed();
    if json {
        terminal::line(serde_json::to_string(outcome)?);
    } else {
        for line in outcome.lines() {
            terminal::line(line);
        }
    }
    for missed in &missed {
        terminal::problem(missed);
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
