//! The plots of a report.

use super::super::{
    Measured, Results,
    figures::Spread,
    plot::{Bar, Line, bars, lines},
};
use super::tables::{figures, name, systems};
use crate::system::Kind;

/// One plot.
pub(super) struct Plot {
    name: String,
    /// What it shows.
    pub(super) title: String,
    /// It.
    pub(super) svg: String,
}

impl Plot {
    /// The name of its file.
    pub(super) fn file(&self) -> String {
        format!("bench-{}.svg", self.name)
    }
}

/// All of them: a bar chart for each figure, latency over rate, memory over time.
pub(super) fn all(results: &Results) -> Vec<Plot> {
    let mut plots: Vec<Plot> = figures(results)
        .into_iter()
        .filter(|(_, spreads)| spreads.len() > 1)
        .map(|(figure, spreads)| {
            let which = if figure.more { "more is better" } else { "less is better" };
            let unit = if figure.unit.is_empty() { String::new() } else { format!("{}, ", figure.unit) };
            let title = format!("{} ({unit}{which})", figure.title);
            let bar = |(kind, spread): (Kind, Spread)| Bar {
                label: name(results, kind),
                spread,
                text: figure.written(spread.median),
                ours: kind == Kind::Gateway,
            };
            let svg = bars(&title, &spreads.into_iter().map(bar).collect::<Vec<_>>());
            Plot { name: figure.name.to_owned(), title, svg }
        })
        .collect();
    plots.extend(latency_over_rate(results));
    plots.extend(memory_over_time(results));
    plots
}

fn latency_over_rate(results: &Results) -> Option<Plot> {
    let line = |kind: Kind| {
        let steps = results.runs.iter().filter(|run| run.system == kind).filter_map(|run| match &run.outcome {
            Measured::Fanout(fanout) => Some(&fanout.steps),
            _ => None,
        });
        let mut points: Vec<_> = steps.flatten().map(|step| (step.offered, step.latency.p99_ms)).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        (!points.is_empty()).then(|| Line { label: name(results, kind), points })
    };
    let all: Vec<Line> = systems(results).into_iter().filter_map(line).collect();
    let title = "99th percentile of latency over deliveries a second, all rounds; cut off at 500 ms".to_owned();
    let svg = lines(&title, ("deliveries offered a second", "ms"), &all, Some(500.0));
    (!all.is_empty()).then_some(Plot { name: "latency-over-rate".to_owned(), title, svg })
}

fn memory_over_time(results: &Results) -> Option<Plot> {
    let soak = results.runs.iter().rev().find_map(|run| match &run.outcome {
        Measured::Soak(soak) => Some(soak),
        _ => None,
    })?;
    let points = soak.samples.iter().map(|sample| (sample.second / 60.0, sample.pss as f64 / 1_048_576.0)).collect();
    let title = format!("The gateway's memory with {} sessions, {} exchanged a second", soak.sessions, soak.churn);
    let svg = lines(&title, ("minutes", "MiB"), &[Line { label: String::new(), points }], None);
    Some(Plot { name: "soak".to_owned(), title, svg })
}
