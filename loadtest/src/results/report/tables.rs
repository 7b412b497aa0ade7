//! The tables of a report, as rows of text.

use super::super::{
    Measured, Results,
    figures::{FIGURES, Figure, Spread},
};
use crate::{measure::verdict::Outcome, system::Kind};

/// Rows below a heading.
pub(super) struct Table {
    /// The heading of each column.
    pub(super) head: Vec<String>,
    /// The rows; the first column says of what.
    pub(super) rows: Vec<Vec<String>>,
}

/// The systems that something was measured of, ours first.
pub(super) fn systems(results: &Results) -> Vec<Kind> {
    Kind::all().iter().copied().filter(|kind| results.runs.iter().any(|run| run.system == *kind)).collect()
}

/// A system's name for people.
pub(super) fn name(results: &Results, system: Kind) -> String {
    results.systems.get(&system).map_or_else(|| format!("{system:?}"), |about| about.name.clone())
}

/// The figures of which there is something.
pub(super) fn figures(results: &Results) -> Vec<(&'static Figure, Vec<(Kind, Spread)>)> {
    let of = |figure: &Figure| {
        let spread = |kind| figure.spread(results, kind).map(|spread| (kind, spread));
        systems(results).into_iter().filter_map(spread).collect::<Vec<_>>()
    };
    FIGURES.iter().map(|figure| (figure, of(figure))).filter(|(_, spreads)| !spreads.is_empty()).collect()
}

/// A row for each figure, a column for each system: the medians.
pub(super) fn medians(results: &Results) -> Table {
    table(results, |figure, spread| figure.written(spread.median))
}

/// The same, with the least and the most: the noise.
pub(super) fn noise(results: &Results) -> Table {
    table(results, |figure, spread| {
        format!("{} to {} ({})", figure.written(spread.min), figure.written(spread.max), spread.rounds)
    })
}

/// A row for each figure, a column for each other system: what the gateway has of it, pair by pair within the rounds.
pub(super) fn ratios(results: &Results) -> Table {
    let others: Vec<Kind> = systems(results).into_iter().filter(|kind| *kind != Kind::Gateway).collect();
    let mut head = vec![String::new()];
    head.extend(others.iter().map(|system| name(results, *system)));
    let row = |figure: &Figure| {
        let ratio = |other: &Kind| figure.ratio(results, *other);
        let written = |ratio: Spread| format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.min, ratio.max);
        let cells: Vec<String> =
            others.iter().map(|other| ratio(other).map_or_else(|| "–".to_owned(), written)).collect();
        let which = if figure.more { "more is better" } else { "less is better" };
        [vec![format!("{}, {which}", figure.title)], cells].concat()
    };
    let rows = figures(results).into_iter().filter(|(_, spreads)| spreads.len() > 1);
    Table { rows: rows.map(|(figure, _)| row(figure)).collect(), head }
}

fn table(results: &Results, cell: impl Fn(&Figure, Spread) -> String) -> Table {
    let systems = systems(results);
    let mut head = vec![String::new()];
    head.extend(systems.iter().map(|system| name(results, *system)));
    let rows = figures(results).into_iter().map(|(figure, spreads)| {
        let unit = if figure.unit.is_empty() { String::new() } else { format!(", {}", figure.unit) };
        let mut row = vec![format!("{}{unit}", figure.title)];
        row.extend(systems.iter().map(|system| {
            let spread = spreads.iter().find(|(kind, _)| kind == system);
            spread.map_or_else(|| "–".to_owned(), |(_, spread)| cell(figure, *spread))
        }));
        row
    });
    Table { rows: rows.collect(), head }
}

/// Which load each measurement was made with.
pub(super) fn loads(results: &Results) -> Vec<String> {
    let mut loads: Vec<String> = Vec::new();
    for run in &results.runs {
        let load = run.outcome.load().map(|load| format!("{}: {load}", run.outcome.name()));
        loads.extend(load.filter(|load| !loads.contains(load)));
    }
    loads
}

/// What is to be said of the runs: what failed, and where the generator or the machine was in the way.
pub(super) fn remarks(results: &Results) -> Vec<String> {
    let mut remarks: Vec<String> = Vec::new();
    for run in &results.runs {
        let name = name(results, run.system);
        let bottleneck = match &run.outcome {
            Measured::Storm(storm) => storm.bottleneck.clone(),
            Measured::Cpu(fanout) => fanout.steps.first().and_then(|step| step.bottleneck.clone()),
            Measured::Fanout(fanout) => fanout.bottleneck(),
            Measured::Latency(latency) => latency.step.bottleneck.clone(),
            Measured::Wide(wide) => wide.bottleneck.clone(),
            Measured::Resume(resume) => resume.bottleneck.clone(),
            _ => None,
        };
        let measure = run.outcome.name().to_owned();
        remarks.extend(bottleneck.map(|why| format!("{name}, {measure}, round {}: bottleneck: {why}", run.round)));
        let missed = run.outcome.missed().into_iter();
        remarks.extend(missed.map(|missed| format!("{name}, {measure}, round {}: {missed}", run.round)));
    }
    // What a program said may have several lines; a remark has one.
    remarks.iter().map(|remark| remark.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// For a terminal.
pub(super) fn plain(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    for (figure, spreads) in figures(results) {
        lines.push(format!(
            "{}{}",
            figure.title,
            if figure.unit.is_empty() { "" } else { ", " }.to_owned() + figure.unit
        ));
        for (kind, Spread { min, median, max, rounds }) in spreads {
            let mark = match (kind, figure.mark, figure.kept(median)) {
                (Kind::Gateway, Some(mark), Some(true)) => format!("   mark {}: kept", figure.written(mark)),
                (Kind::Gateway, Some(mark), _) => format!("   mark {}: MISSED", figure.written(mark)),
                _ => String::new(),
            };
            lines.push(format!(
                "  {:<24} {:>12}   {} to {} in {rounds}{mark}",
                name(results, kind),
                figure.written(median),
                figure.written(min),
                figure.written(max)
            ));
        }
    }
    let Table { head, rows } = ratios(results);
    for row in rows {
        let of = head.iter().zip(&row).skip(1).map(|(name, ratio)| format!("{ratio} of {name}")).collect::<Vec<_>>();
        lines.push(format!("{}: the gateway has {}", row[0], of.join(", ")));
    }
    lines.extend(remarks(results));
    lines
}
