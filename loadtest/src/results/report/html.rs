//! The report as a page: nothing is loaded, so it opens from disk.

use std::fmt::Write;

use super::super::{Measured, Results, plot::escaped};
use super::{
    plots::Plot,
    tables::{Table, loads, medians, noise, ratios, remarks, systems},
};
use crate::measure::verdict::Outcome;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}\
    table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:right}\
    td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto;display:block;margin:1rem 0}\
    .work{white-space:pre-line}pre{background:#f4f4f4;padding:1rem;overflow:auto}";

/// The page.
pub(super) fn page(results: &Results, plots: &[Plot]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Load test</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<style>{STYLE}</style></head><body>\n<h1>Load test</h1>\n"
    );
    let machine = &results.machine;
    let machine = format!(
        "{} x {}, {} GiB, Linux {}, Redis {}",
        machine.cores, machine.cpu, machine.memory_gib, machine.kernel, machine.redis
    );
    let _infallible = writeln!(page, "<p>{}</p>\n<h2>Medians</h2>\n{}", escaped(&machine), rows(&medians(results)));
    page += &list(&loads(results));
    for plot in plots {
        page += &plot.svg;
    }
    let ratios = ratios(results);
    if !ratios.rows.is_empty() {
        let _infallible = writeln!(page, "<h2>The gateway's share of the others' figures</h2>\n{}", rows(&ratios));
    }
    let _infallible = writeln!(page, "<h2>Noise</h2>\n<p>Least, most, rounds.</p>\n{}", rows(&noise(results)));
    page += "<h2>Systems</h2>\n";
    for about in systems(results).iter().filter_map(|kind| results.systems.get(kind)) {
        let (name, version, work) = (escaped(&about.name), escaped(&about.version), escaped(&about.work));
        let _infallible = writeln!(page, "<h3>{name} {version}</h3>\n<p class=\"work\">{work}</p>");
    }
    let remarks = remarks(results);
    if !remarks.is_empty() {
        let _infallible = writeln!(page, "<h2>Remarks of the generator</h2>\n{}", list(&remarks));
    }
    page += "<h2>Every run</h2>\n";
    for run in &results.runs {
        let name = if matches!(run.outcome, Measured::Failed { .. }) { "failed" } else { run.outcome.name() };
        let lines = escaped(&run.outcome.lines().join("\n"));
        let _infallible = writeln!(
            page,
            "<details><summary>{:?}, {name}, round {} by {}</summary><pre>{lines}</pre></details>",
            run.system,
            run.round,
            escaped(&run.generator)
        );
    }
    page + "</body></html>\n"
}

fn list(lines: &[String]) -> String {
    let items = lines.iter().map(|line| format!("<li>{}</li>\n", escaped(line))).collect::<String>();
    format!("<ul>\n{items}</ul>\n")
}

fn rows(table: &Table) -> String {
    let line = |cells: &[String], tag: &str| {
        let cells = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect::<String>();
        format!("<tr>{cells}</tr>\n")
    };
    let rows = table.rows.iter().map(|row| line(row, "td")).collect::<String>();
    format!("<table>\n{}{rows}</table>", line(&table.head, "th"))
}
