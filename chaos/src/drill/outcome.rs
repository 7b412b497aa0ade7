//! What one injection did.

use std::{collections::BTreeMap, time::Duration};

use crate::faults::Fault;

/// One fault, once.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Which.
    pub(crate) fault: &'static Fault,
    /// Receivers that were cut, told of a loss, or told that events come late.
    pub(crate) touched: usize,
    /// Facts published while it was on.
    pub(crate) at_stake: u64,
    /// From the heal until each receiver had caught up.
    pub(crate) recovery: Vec<Duration>,
    /// Losses that receivers were told of, by what the gateway said.
    pub(crate) resyncs: BTreeMap<String, usize>,
    /// A promise that it broke.
    pub(crate) failure: Option<String>,
}

impl Outcome {
    /// Losses that receivers were told of.
    pub(crate) fn resync_count(&self) -> usize {
        self.resyncs.values().sum()
    }
}

/// The value below which so many percent are; of nothing, zero.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get(last * percent / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 50), Duration::from_millis(50));
        assert_eq!(percentile(&mut times, 99), Duration::from_millis(99));
        assert_eq!(percentile(&mut [], 99), Duration::ZERO);
    }
}
