//! The picture of a run: five panels over one axis of time, as SVG.

use std::{collections::BTreeSet, fmt::Write};

use super::{
    record::{Report, Sample},
    story::Phase,
};

const WIDTH: f64 = 1200.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 92.0;
const PANEL: f64 = 128.0;
const GAP: f64 = 44.0;
const COLOURS: [&str; 10] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f6000", "#6a3d9a", "#b15928", "#444444"];

/// What a line shows of a sample.
type Value<'a> = Box<dyn Fn(&Sample) -> Option<f64> + 'a>;

/// One line of a panel.
struct Line<'a> {
    label: String,
    colour: &'a str,
    /// With steps instead of slopes.
    stepped: bool,
    value: Value<'a>,
}

/// A line through what `value` finds in each sample.
fn line<'a>(label: impl Into<String>, colour: &'a str, value: impl Fn(&Sample) -> Option<f64> + 'a) -> Line<'a> {
    Line { label: label.into(), colour, stepped: false, value: Box::new(value) }
}

/// Draws a run.
pub(super) fn draw(report: &Report) -> String {
    let places: BTreeSet<usize> = report.samples.iter().flat_map(|sample| sample.held.keys().copied()).collect();
    let target = report.target;
    let panels: [(&str, Vec<Line<'_>>); 5] = [
        (
            "Connections",
            vec![
                line("clients wanted", "#999999", |sample| Some(sample.clients as f64)),
                line("held", COLOURS[0], |sample| Some(sample.held.values().sum::<u64>() as f64)),
                line("held by those that drain", COLOURS[1], |sample| Some(sample.draining as f64)),
            ],
        ),
        (
            "Replicas",
            vec![
                Line { stepped: true, ..line("wanted", COLOURS[0], |sample| Some(f64::from(sample.wanted))) },
                Line { stepped: true, ..line("ready", COLOURS[2], |sample| Some(sample.ready as f64)) },
            ],
        ),
        (
            "Connections of each replica",
            places
                .iter()
                .map(|&place| {
                    let colour = COLOURS[place % COLOURS.len()];
                    line(format!("place {place}"), colour, move |sample| {
                        sample.held.get(&place).map(|&held| held as f64)
                    })
                })
                .chain([line("target", "#999999", move |_| Some(target))])
                .collect(),
        ),
        (
            "Reconnects a second",
            vec![
                line("came back", COLOURS[0], |sample| Some(sample.reconnects)),
                line("refused", COLOURS[1], |sample| Some(sample.refused)),
            ],
        ),
        ("p99 from publish to a connected session, ms", vec![line("p99", COLOURS[0], |sample| Some(sample.p99_ms))]),
    ];
    let height = TOP + panels.len() as f64 * (PANEL + GAP) + 24.0;
    let end = report.samples.last().map_or(1.0, |sample| sample.minute).max(1.0);
    let x = move |minute: f64| LEFT + minute / end * (WIDTH - LEFT - RIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"DejaVu Sans, Arial, sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    header(&mut svg, report);
    phases(&mut svg, &report.samples, &x, height);
    for (number, (title, lines)) in panels.iter().enumerate() {
        panel(&mut svg, TOP + number as f64 * (PANEL + GAP), title, lines, &report.samples, &x);
    }
    let mut minute = 0.0;
    while minute < end {
        put(&mut svg, x(minute) - 4.0, height - 8.0, "#444444", &minute.to_string());
        minute += 5.0;
    }
    let axis = format!("minutes, {} in one", report.speed);
    put(&mut svg, WIDTH - RIGHT + 12.0, height - 8.0, "#444444", &axis);
    svg + "</svg>\n"
}

fn header(svg: &mut String, report: &Report) {
    let title = format!(
        "{} sessions, {} events a second: lost {}, twice {}",
        report.sessions, report.events_per_second, report.lost, report.twice
    );
    let _infallible = writeln!(svg, "<text x=\"{LEFT}\" y=\"28\" font-size=\"20\" fill=\"#111111\">{title}</text>");
    let detail = format!(
        "{} deliveries; {} reconnects, at most {:.0} a second in the rolling restart (a drain of {} s implies {:.0}); \
         Prometheus gone: never below {} replicas",
        report.delivered,
        report.reconnects,
        report.roll_burst.0,
        report.drain_secs,
        report.roll_burst.1,
        report.blind.0
    );
    put(svg, LEFT, 48.0, "#444444", &detail);
}

/// A band for each phase.
fn phases(svg: &mut String, samples: &[Sample], x: &dyn Fn(f64) -> f64, height: f64) {
    let mut began: Option<(Phase, f64)> = None;
    let mut band = |phase: Phase, from: f64, to: f64| {
        let shade = match phase {
            Phase::Blind => "#fbe3d6",
            Phase::Roll => "#e3eefb",
            _ => "#ffffff",
        };
        let (left, width, bottom) = (x(from), x(to) - x(from), height - TOP - 24.0);
        let _infallible = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{}\" width=\"{width:.1}\" height=\"{bottom:.1}\" fill=\"{shade}\"/>\n\
             <line x1=\"{left:.1}\" y1=\"{0}\" x2=\"{left:.1}\" y2=\"{1}\" stroke=\"#cccccc\" stroke-dasharray=\"2 3\"/>",
            TOP - 18.0,
            height - 24.0,
        );
        if width > 40.0 {
            put(svg, left + 3.0, TOP - 22.0, "#444444", phase.label());
        }
    };
    for sample in samples {
        match began {
            Some((phase, _)) if phase == sample.phase => {}
            _ => {
                if let Some((phase, from)) = began {
                    band(phase, from, sample.minute);
                }
                began = Some((sample.phase, sample.minute));
            }
        }
    }
    if let (Some((phase, from)), Some(last)) = (began, samples.last()) {
        band(phase, from, last.minute);
    }
}

fn panel(svg: &mut String, top: f64, title: &str, lines: &[Line<'_>], samples: &[Sample], x: &dyn Fn(f64) -> f64) {
    let values = lines.iter().flat_map(|line| samples.iter().filter_map(|sample| (line.value)(sample)));
    let most = ceiling(values.fold(1.0, f64::max));
    let bottom = top + PANEL;
    let y = |value: f64| bottom - value / most * (PANEL - 18.0);
    let _infallible =
        writeln!(svg, "<text x=\"{LEFT}\" y=\"{:.1}\" fill=\"#111111\" font-weight=\"bold\">{title}</text>", top + 8.0);
    for part in 0..=2 {
        let value = most * f64::from(part) / 2.0;
        let _infallible = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{0:.1}\" x2=\"{1}\" y2=\"{0:.1}\" stroke=\"#e0e0e0\"/>\n\
             <text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\" fill=\"#444444\">{value}</text>",
            y(value),
            WIDTH - RIGHT,
            LEFT - 6.0,
            y(value) + 4.0,
        );
    }
    for (number, line) in lines.iter().enumerate() {
        let mut path = String::new();
        let mut drawn = false;
        for sample in samples {
            let Some(value) = (line.value)(sample) else {
                drawn = false;
                continue;
            };
            let (x, y) = (x(sample.minute), y(value));
            let _infallible = match (drawn, line.stepped) {
                (false, _) => write!(path, "M{x:.1} {y:.1}"),
                (true, false) => write!(path, "L{x:.1} {y:.1}"),
                (true, true) => write!(path, "H{x:.1}V{y:.1}"),
            };
            drawn = true;
        }
        let _infallible =
            writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>", line.colour);
        put(svg, WIDTH - RIGHT + 12.0, top + 26.0 + number as f64 * 14.0, line.colour, &line.label);
    }
}

/// Text, in a colour.
fn put(svg: &mut String, x: f64, y: f64, colour: &str, text: &str) {
    let _infallible = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{text}</text>");
}

/// A round number that is not below.
fn ceiling(value: f64) -> f64 {
    let unit = 10f64.powf(value.log10().floor());
    let tops = [1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|factor| factor * unit);
    tops.into_iter().find(|top| *top >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, top) in [(1.0, 1.0), (3.1, 4.0), (11_800.0, 12_000.0), (0.31, 0.4), (5_500.0, 6_000.0)] {
            assert!((ceiling(value) - top).abs() < 1e-9, "{value}: {}", ceiling(value));
        }
    }
}
