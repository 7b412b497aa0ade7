//! The figures of a report: what is read out of which measurement, in which unit, and which way is better. A run in which
//! something was lost has no figure of what it took.

use std::collections::BTreeMap;

use super::{Measured, Results};
use crate::system::Kind;

/// One figure.
pub(crate) struct Figure {
    /// The file of its plot.
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// Digits behind the point.
    pub(crate) digits: usize,
    /// More is better; else less is.
    pub(crate) more: bool,
    /// What the gateway is held to.
    pub(crate) mark: Option<f64>,
    /// Reads it.
    of: fn(&Measured) -> Option<f64>,
}

/// A figure of a system over all rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The least.
    pub(crate) min: f64,
    /// The median.
    pub(crate) median: f64,
    /// The most.
    pub(crate) max: f64,
    /// How many rounds.
    pub(crate) rounds: usize,
}

/// All figures, in the order of the report.
pub(crate) const FIGURES: &[Figure] = &[
    Figure {
        name: "memory",
        title: "Memory per idle session",
        unit: "bytes",
        digits: 0,
        more: false,
        mark: None,
        of: |measured| match measured {
            Measured::Idle(idle) if idle.is_whole() => Some(idle.bytes_per_session as f64),
            _ => None,
        },
    },
    Figure {
        name: "heartbeat",
        title: "CPU of an idle session in a minute",
        unit: "µs",
        digits: 1,
        more: false,
        mark: None,
        of: |measured| match measured {
            Measured::Idle(idle) if idle.is_whole() => Some(idle.cpu_us_per_minute),
            _ => None,
        },
    },
    Figure {
        name: "deliveries",
        title: "Deliveries a second held",
        unit: "/s",
        digits: 0,
        more: true,
        mark: None,
        of: |measured| match measured {
            Measured::Fanout(fanout) => Some(fanout.held),
            _ => None,
        },
    },
    Figure {
        name: "cpu",
        title: "CPU per delivery at one rate",
        unit: "µs",
        digits: 2,
        more: false,
        mark: None,
        of: |measured| match measured {
            Measured::Cpu(fanout) => fanout.steps.first()?.cpu_us,
            _ => None,
        },
    },
    Figure {
        name: "wide-cpu",
        title: "Own code's CPU per delivery in one wide room",
        unit: "µs",
        digits: 2,
        more: false,
        mark: None,
        of: |measured| match measured {
            Measured::Wide(wide) if wide.is_whole() => wide.cpu_user_us,
            _ => None,
        },
    },
    Figure {
        name: "wide-last",
        title: "Until the last one in the wide room has an event",
        unit: "ms",
        digits: 1,
        more: false,
        mark: None,
        of: |measured| match measured {
            Measured::Wide(wide) if wide.is_whole() => Some(wide.last_session_median_ms),
            _ => None,
        },
    },
    Figure {
        name: "connects",
        title: "Sessions accepted a second",
        unit: "/s",
        digits: 0,
        more: true,
        mark: Some(15_000.0),
        of: |measured| match measured {
            Measured::Storm(storm) => Some(storm.per_second),
            _ => None,
        },
    },
    Figure {
        name: "latency-p50",
        title: "Latency under light load, median",
        unit: "ms",
        digits: 2,
        more: false,
        mark: Some(0.95),
        of: |measured| match measured {
            Measured::Latency(latency) if latency.is_whole() => Some(latency.step.latency.p50_ms),
            _ => None,
        },
    },
    Figure {
        name: "latency-p99",
        title: "Latency under light load, 99th percentile",
        unit: "ms",
        digits: 2,
        more: false,
        mark: Some(1.7),
        of: |measured| match measured {
            Measured::Latency(latency) if latency.is_whole() => Some(latency.step.latency.p99_ms),
            _ => None,
        },
    },
    Figure {
        name: "resume",
        title: "Until the last one is caught up after an outage",
        unit: "ms",
        digits: 0,
        more: false,
        mark: Some(2_000.0),
        of: |measured| match measured {
            Measured::Resume(resume) if resume.is_whole() => Some(resume.last_caught_up_ms),
            _ => None,
        },
    },
    Figure {
        name: "log-reads",
        title: "Reads of logs after an outage",
        unit: "",
        digits: 0,
        more: false,
        mark: Some(100.0),
        of: |measured| match measured {
            Measured::Resume(resume) if resume.is_whole() => Some(resume.log_reads as f64),
            _ => None,
        },
    },
];

/// The figures of one measurement in one line.
pub(crate) fn headline(measured: &Measured) -> String {
    let figures = FIGURES.iter().filter_map(|figure| {
        let value = (figure.of)(measured)?;
        Some(format!("{}: {} {}", figure.title, figure.written(value), figure.unit).trim_end().to_owned())
    });
    figures.collect::<Vec<_>>().join("; ")
}

impl Spread {
    /// Of some values.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let (middle, even) = (values.len() / 2, values.len().is_multiple_of(2));
        let median = if even { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] };
        Some(Self { min, median, max, rounds: values.len() })
    }
}

impl Figure {
    /// Of a system over all rounds.
    pub(crate) fn spread(&self, results: &Results, system: Kind) -> Option<Spread> {
        Spread::of(self.by_round(results, system).into_values().collect())
    }

    /// The gateway's share of what another system has, round by round.
    pub(crate) fn ratio(&self, results: &Results, other: Kind) -> Option<Spread> {
        let theirs = self.by_round(results, other);
        let ours = self.by_round(results, Kind::Gateway).into_iter();
        let ratios = ours.filter_map(|(round, ours)| Some(ours / theirs.get(&round).filter(|value| **value > 0.0)?));
        Spread::of(ratios.collect())
    }

    fn by_round(&self, results: &Results, system: Kind) -> BTreeMap<u32, f64> {
        let runs = results.runs.iter().filter(|run| run.system == system);
        runs.filter_map(|run| Some((run.round, (self.of)(&run.outcome)?))).collect()
    }

    /// Whether the gateway keeps its mark with this.
    pub(crate) fn kept(&self, value: f64) -> Option<bool> {
        self.mark.map(|mark| if self.more { value >= mark } else { value <= mark })
    }

    /// A value as it is written.
    pub(crate) fn written(&self, value: f64) -> String {
        let text = format!("{value:.*}", self.digits);
        let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_and_marks() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 9.0]), Some(Spread { min: 1.0, median: 3.0, max: 9.0, rounds: 3 }));
        assert_eq!(Spread::of(vec![3.0, 1.0]).unwrap().median, 2.0);
        assert_eq!(Spread::of(vec![]), None);
        let figure = |name| FIGURES.iter().find(|figure| figure.name == name).unwrap();
        assert_eq!(figure("connects").kept(14_999.0), Some(false));
        assert_eq!(figure("resume").kept(1_999.0), Some(true));
        assert_eq!(figure("cpu").kept(1.0), None);
    }

    #[test]
    fn a_run_that_lost_something_has_no_figure_of_what_it_took() {
        let wide = |complete: u32| -> Measured {
            let report = serde_json::json!({
                "measure": "wide", "sessions": 100, "events": 40, "complete": complete, "delivered": 4_000, "doubles": 0,
                "missing": 0, "ended": 0, "lastSessionMedianMs": 7.0, "lastSessionMaxMs": 9.0, "p50Ms": 1.0, "p99Ms": 2.0,
                "cpuUserUs": 0.5,
            });
            serde_json::from_value(report).unwrap()
        };
        assert!(headline(&wide(40)).contains("7.0 ms"), "{}", headline(&wide(40)));
        assert_eq!(headline(&wide(39)), "");
    }

    #[test]
    fn numbers_are_grouped() {
        let written = |value| FIGURES[0].written(value);
        assert_eq!([written(2.0), written(999.4), written(1_234_567.0)], ["2", "999", "1,234,567"]);
        assert_eq!(FIGURES[3].written(1_234.5), "1,234.50");
    }
}
