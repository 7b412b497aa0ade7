//! The report as Markdown.

use std::fmt::Write;

use super::super::{Measured, Results, plot::escaped};
use super::{
    plots::Plot,
    tables::{Table, loads, medians, noise, ratios, remarks, systems},
};
use crate::measure::verdict::Outcome;

/// The document; its plots lie in `images/`.
pub(super) fn document(results: &Results, plots: &[Plot]) -> String {
    let mut text = String::from(
        "# Benchmarks\n\nThe gateway beside other servers that do the nearest to the same work, measured by `make bench`: each \
         started afresh for\neach measurement, in turns, generator and Redis on the same machine. Medians of all rounds. \
         Latency counts from the\nmoment at which an event was meant to be sent. Memory (PSS) and CPU are those of a system's own \
         processes: Redis, publisher and\ngenerator are not in them. A rate is held when nothing is lost, nothing comes twice, \
         the 99th percentile is within its bound and\nno backlog grows; it is found to within a tenth.\n\n",
    );
    text += &rows(&medians(results));
    text += "\n";
    for load in loads(results) {
        let _infallible = writeln!(text, "- {load}");
    }
    for plot in plots {
        let _infallible = write!(text, "\n![{}](images/{})\n", plot.title, plot.file());
    }
    let ratios = ratios(results);
    if !ratios.rows.is_empty() {
        text += "\n## Pair by pair\n\nThe gateway's figure over the other's, taken within each round: median, least and most.\n\n";
        text += &rows(&ratios);
    }
    text += "\n## Noise\n\nThe least and the most, and how many rounds.\n\n";
    text += &rows(&noise(results));
    let machine = &results.machine;
    let _infallible = write!(
        text,
        "\n## Machine\n\n{} x {}, {} GiB, Linux {}, Redis {}.\n\n## What is compared, and what is not equal\n",
        machine.cores, machine.cpu, machine.memory_gib, machine.kernel, machine.redis
    );
    for about in systems(results).iter().filter_map(|kind| results.systems.get(kind)) {
        let _infallible = writeln!(text, "\n### {} {}\n\n{}", about.name, about.version, about.work);
    }
    for soak in results.runs.iter().filter(|run| matches!(run.outcome, Measured::Soak(_))) {
        let _infallible = write!(text, "\n## Soak\n\n```text\n{}\n```\n", soak.outcome.lines().join("\n"));
    }
    let remarks = remarks(results);
    if !remarks.is_empty() {
        text += "\n## Remarks of the generator\n\n";
        for remark in remarks {
            let _infallible = writeln!(text, "- {}", escaped(&remark));
        }
    }
    text
}

fn rows(table: &Table) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = (0..table.head.len()).map(|column| if column == 0 { "---" } else { "---:" }.to_owned());
    let mut text = line(&table.head) + &line(&rule.collect::<Vec<_>>());
    for row in &table.rows {
        text += &line(row);
    }
    text
}
