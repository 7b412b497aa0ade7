//! What was seen, second by second, and what it comes to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::story::Phase;
use crate::measure::verdict::Outcome;

/// Once the fleet has settled no replica may hold more than so many times the average.
const BALANCE: f64 = 1.25;
/// Reconnects of a second against what the drain window implies: there are better and worse seconds.
const BURST: f64 = 1.25;

/// One moment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sample {
    /// Minutes of the cluster since the beginning.
    pub(super) minute: f64,
    pub(super) phase: Phase,
    pub(super) clients: usize,
    /// Connections of each replica, by place.
    pub(super) held: BTreeMap<usize, u64>,
    /// Connections of those that drain.
    pub(super) draining: u64,
    pub(super) wanted: u32,
    pub(super) ready: usize,
    /// Sessions a second, in real time, that came back.
    pub(super) reconnects: f64,
    /// Attempts a second that failed.
    pub(super) refused: f64,
    /// Milliseconds to a session that was connected.
    pub(super) p99_ms: f64,
    /// The autoscaler was told a number that KEDA made up.
    pub(super) made_up: bool,
}

/// The result.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) measure: &'static str,
    pub(super) sessions: usize,
    pub(super) events_per_second: u32,
    /// Minutes of the cluster that one real minute is.
    pub(super) speed: f64,
    /// What a replica is to hold.
    pub(super) target: f64,
    /// Real seconds of a drain.
    pub(super) drain_secs: u64,
    pub(super) published: u64,
    pub(super) delivered: u64,
    /// Events that a session should have had and had not.
    pub(super) lost: u64,
    pub(super) twice: u64,
    /// Times that a session was told that events may be missing.
    pub(super) losses_told: u64,
    pub(super) reconnects: u64,
    /// Connections that ended without having been asked to move.
    pub(super) cut: u64,
    pub(super) refused: u64,
    /// Replicas at the peak, and at the end.
    pub(super) replicas: (u32, u32),
    pub(super) expected_replicas: (u32, u32),
    /// The fewest replicas while Prometheus was gone, and how many there were when it went.
    pub(super) blind: (u32, u32),
    /// The largest replica against the average, before the rolling restart.
    pub(super) balance: f64,
    /// Real seconds from the last replica that was added until none was above the bound any more.
    pub(super) level_secs: f64,
    /// Reconnects a second in the worst second of the rolling restart, and what the drain window implies.
    pub(super) roll_burst: (f64, f64),
    /// Milliseconds: the median of the seconds' p99 at the peak, and the worst of the rolling restart.
    pub(super) p99_ms: (f64, f64),
    /// Milliseconds that an event waited, at the 99th percentile, for a session that was on its way.
    pub(super) late_p99_ms: f64,
    pub(super) mishaps: Vec<String>,
    pub(super) samples: Vec<Sample>,
}

impl Report {
    /// Fills in what follows from the samples.
    pub(super) fn conclude(mut self, samples: Vec<Sample>) -> Self {
        let of = |phase: Phase| samples.iter().filter(move |sample| sample.phase == phase);
        if let Some(settled) = of(Phase::Peak).next_back() {
            self.replicas.0 = settled.wanted;
        }
        self.balance = of(Phase::Seeing).next_back().map_or(0.0, Sample::balance);
        self.level_secs = level(&samples) * 60.0 / self.speed;
        self.replicas.1 = samples.last().map_or(0, |sample| sample.wanted);
        let before = of(Phase::Peak).next_back().map_or(0, |sample| sample.wanted);
        self.blind = (of(Phase::Blind).map(|sample| sample.wanted).min().unwrap_or(0), before);
        let largest = of(Phase::Seeing).chain(of(Phase::Roll)).flat_map(|sample| sample.held.values()).max();
        let implied = largest.map_or(0.0, |largest| *largest as f64 / spread(self.drain_secs));
        self.roll_burst = (worst(of(Phase::Roll).map(|sample| sample.reconnects)), implied);
        let mut quiet: Vec<f64> = of(Phase::Peak).map(|sample| sample.p99_ms).collect();
        quiet.sort_by(f64::total_cmp);
        let median = quiet.get(quiet.len() / 2).copied().unwrap_or(0.0);
        self.p99_ms = (median, worst(of(Phase::Roll).map(|sample| sample.p99_ms)));
        self.samples = samples;
        self
    }
}

/// Seconds over which a drain spreads its sessions. Its end is for those who are late: a tenth, but a second at least,
/// and half of it at most.
fn spread(drain_secs: u64) -> f64 {
    let drain = drain_secs as f64;
    drain - (drain / 10.0).max(1.0).min(drain / 2.0)
}

/// Minutes from the last replica that was added for the peak until no replica was above the bound.
fn level(samples: &[Sample]) -> f64 {
    let peak = samples.iter().take_while(|sample| sample.phase < Phase::Roll);
    let steps: Vec<&Sample> = peak.collect();
    let added = steps.windows(2).rposition(|pair| pair[0].held.len() < pair[1].held.len()).map_or(0, |at| at + 1);
    let uneven = steps.iter().rposition(|sample| sample.balance() > BALANCE).unwrap_or(0);
    match (steps.get(added), steps.get(uneven)) {
        (Some(added), Some(uneven)) => (uneven.minute - added.minute).max(0.0),
        _ => 0.0,
    }
}

fn worst(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

impl Sample {
    /// The largest replica against the average.
    pub(super) fn balance(&self) -> f64 {
        let sum: u64 = self.held.values().sum();
        let largest = self.held.values().max().copied().unwrap_or(0);
        if sum == 0 { 1.0 } else { largest as f64 * self.held.len() as f64 / sum as f64 }
    }
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        vec![
            format!(
                "{} sessions, {} events a second, {} times the cluster's pace, {} a replica",
                self.sessions, self.events_per_second, self.speed, self.target
            ),
            format!("  published {}, delivered {}", self.published, self.delivered),
            format!("  lost {}, twice {}, told that events may be missing {}", self.lost, self.twice, self.losses_told),
            format!("  replicas: {} at the peak, {} at the end", self.replicas.0, self.replicas.1),
            format!("  while Prometheus was gone: never below {}, of {}", self.blind.0, self.blind.1),
            format!(
                "  balance: the largest replica has {:.2} times the average; level {:.0} s after the last one was added",
                self.balance, self.level_secs
            ),
            format!(
                "  reconnects: {}; cut without a word: {}; attempts refused: {}",
                self.reconnects, self.cut, self.refused
            ),
            format!(
                "  rolling restart: at most {:.0} reconnects a second; the drain window implies {:.0}",
                self.roll_burst.0, self.roll_burst.1
            ),
            format!(
                "  p99: {:.1} ms at the peak, {:.1} ms in the worst second of the restart; {:.0} ms for those on their way",
                self.p99_ms.0, self.p99_ms.1, self.late_p99_ms
            ),
        ]
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = self.mishaps.clone();
        let counts =
            [(self.lost, "events lost"), (self.twice, "events twice"), (self.losses_told, "losses told to sessions")];
        missed.extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        if self.delivered == 0 {
            missed.push("nothing was delivered".to_owned());
        }
        if self.replicas != self.expected_replicas {
            missed.push(format!(
                "{:?} replicas at the peak and the end, not {:?}",
                self.replicas, self.expected_replicas
            ));
        }
        if self.blind.0 < self.blind.1 {
            missed.push(format!("without Prometheus {} replicas became {}", self.blind.1, self.blind.0));
        }
        if self.balance > BALANCE {
            missed.push(format!("a replica had {:.2} times the average", self.balance));
        }
        if self.roll_burst.0 > self.roll_burst.1 * BURST {
            missed.push(format!("{:.0} reconnects in one second of the rolling restart", self.roll_burst.0));
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(minute: f64, phase: Phase, held: &[u64]) -> Sample {
        let held: BTreeMap<usize, u64> = held.iter().copied().enumerate().collect();
        let wanted = u32::try_from(held.len()).unwrap();
        Sample {
            minute,
            phase,
            clients: 12,
            ready: held.len(),
            held,
            draining: 0,
            wanted,
            reconnects: 2.0,
            refused: 0.0,
            p99_ms: 5.0,
            made_up: false,
        }
    }

    fn report(samples: Vec<Sample>) -> Report {
        let bare = Report { speed: 6.0, drain_secs: 3, delivered: 1, expected_replicas: (3, 2), ..Report::default() };
        bare.conclude(samples)
    }

    fn good() -> Vec<Sample> {
        vec![
            sample(1.0, Phase::Up, &[6, 6]),
            sample(2.0, Phase::Peak, &[6, 6, 0]),
            sample(3.0, Phase::Peak, &[6, 5, 1]),
            sample(4.0, Phase::Blind, &[4, 4, 4]),
            sample(5.0, Phase::Seeing, &[4, 4, 4]),
            sample(6.0, Phase::Roll, &[4, 4, 4]),
            sample(7.0, Phase::Low, &[2, 1]),
        ]
    }

    #[test]
    fn a_run_that_went_well_is_told_so() {
        let report = report(good());
        assert_eq!(report.missed(), Vec::<String>::new());
        assert_eq!((report.replicas, report.blind), ((3, 2), (3, 3)));
        assert!((report.level_secs - 10.0).abs() < 1e-9, "from minute 2 to 3, at six times the pace");
        assert_eq!(report.roll_burst, (2.0, 2.0), "four sessions in all but the last of three seconds");
    }

    #[test]
    fn whatever_goes_wrong_is_missed() {
        type Change = fn(&mut Vec<Sample>);
        let broken: [(&str, Change); 4] = [
            ("without Prometheus 3 replicas became 2", |samples| samples[3].wanted = 2),
            ("times the average", |samples| samples[4].held = BTreeMap::from([(0, 9), (1, 2), (2, 1)])),
            ("reconnects in one second", |samples| samples[5].reconnects = 3.0),
            ("replicas at the peak and the end", |samples| samples[6].wanted = 3),
        ];
        for (what, change) in broken {
            let mut samples = good();
            change(&mut samples);
            assert!(report(samples).missed().concat().contains(what), "{what}");
        }
        for counted in [Report { lost: 1, ..report(good()) }, Report { twice: 1, ..report(good()) }] {
            assert_eq!(counted.missed().len(), 1);
        }
    }
}
