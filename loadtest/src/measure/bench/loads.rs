//! How much each measurement of a bench is: what the marks are set for, short enough for three rounds of all systems.

use std::collections::BTreeMap;

use anyhow::Context;
use clap::Parser;

use super::super::{fanout, idle, latency, resume, storm, wide};
use crate::{results::Measured, system::Kind};

/// Where the search for the highest rate begins, until a round has found one.
const FIRST_RATE: f64 = 100_000.0;
/// Each further search begins below what was held before.
const BELOW: f64 = 0.9;

/// One load for each measurement.
pub(crate) struct Loads {
    pub(super) idle: idle::Load,
    pub(super) cpu: fanout::Load,
    pub(super) fanout: fanout::Load,
    pub(super) wide: wide::Load,
    pub(super) storm: storm::Load,
    pub(super) latency: latency::Load,
    pub(super) resume: resume::Load,
    first_rates: BTreeMap<Kind, f64>,
}

/// Lets `clap` fill what is not said with the same defaults as on the command line.
#[derive(Parser)]
struct Defaults<T: clap::Args> {
    #[command(flatten)]
    args: T,
}

impl Loads {
    pub(super) fn new(quick: bool) -> anyhow::Result<Self> {
        let (share, short) = if quick { (10, 1) } else { (1, 2) };
        let idle = [18_000 / share, if quick { 2 } else { 26 }];
        let [sessions, settle] = idle.map(|number| number.to_string());
        let seconds = (2 * short).to_string();
        let at_50_000 = (50_000 / share).to_string();
        Ok(Self {
            // A rest of 26 s sees a heartbeat of the gateway and a ping of Socket.IO, both every 25 s.
            idle: load(&["--sessions", &sessions, "--settle", &settle])?,
            cpu: load(&["--deliveries", &at_50_000, "--seconds", &(4 * short).to_string()])?,
            fanout: load(&["--seconds", &seconds])?,
            wide: load(&["--sessions", &(10_000 / share).to_string(), "--events", "40", "--rate", "4"])?,
            storm: load(&["--sessions", &sessions])?,
            latency: load(&["--seconds", &(5 * short).to_string()])?,
            resume: load(&["--sessions", &(10_000 / share).to_string()])?,
            first_rates: BTreeMap::new(),
        })
    }

    /// Where to begin with a system.
    pub(super) fn first_rate(&self, system: Kind) -> f64 {
        self.first_rates.get(&system).copied().unwrap_or(FIRST_RATE)
    }

    /// Begins the next time where it makes sense.
    pub(super) fn learn(&mut self, system: Kind, measured: &Measured) {
        if let Measured::Fanout(fanout) = measured
            && fanout.held > 0.0
        {
            self.first_rates.insert(system, fanout.held * BELOW);
        }
    }
}

fn load<T: clap::Args>(arguments: &[&str]) -> anyhow::Result<T> {
    let line = std::iter::once(&"bench").chain(arguments);
    Ok(Defaults::<T>::try_parse_from(line).context("arguments of the measurement")?.args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_what_the_command_line_takes() {
        for quick in [false, true] {
            let loads = Loads::new(quick).unwrap();
            assert_eq!(loads.idle.sessions, if quick { 1_800 } else { 18_000 });
            assert_eq!(loads.cpu.deliveries, if quick { 5_000 } else { 50_000 });
            assert!((loads.first_rate(Kind::Gateway) - FIRST_RATE).abs() < 1.0);
        }
    }
}
