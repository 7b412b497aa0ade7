//! Plots as SVG that stand alone in a page, a README or a browser.

use std::fmt::Write;

use super::figures::Spread;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 120.0;
const COLOURS: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f6000", "#6a3d9a"];
const INK: &str = "#222222";
const FAINT: &str = "#d0d0d0";

/// One bar.
pub(super) struct Bar {
    /// Whose.
    pub(super) label: String,
    /// How long; its noise is drawn as a whisker.
    pub(super) spread: Spread,
    /// What is written behind it.
    pub(super) text: String,
    /// Ours.
    pub(super) ours: bool,
}

/// One line.
pub(super) struct Line {
    /// Whose.
    pub(super) label: String,
    /// From left to right.
    pub(super) points: Vec<(f64, f64)>,
}

/// Horizontal bars over one scale.
pub(super) fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.spread.max).fold(f64::MIN_POSITIVE, f64::max);
    let x = |value: f64| LEFT + value / most * (WIDTH - LEFT - RIGHT);
    let height = 44.0 + bars.len() as f64 * 28.0;
    let mut svg = head(title, height);
    for (number, bar) in bars.iter().enumerate() {
        let top = 36.0 + number as f64 * 28.0;
        let middle = top + 10.0;
        let Spread { min, median, max, .. } = bar.spread;
        let colour = if bar.ours { COLOURS[0] } else { "#9aa7b0" };
        text(&mut svg, (LEFT - 8.0, middle + 4.0), "end", INK, &bar.label);
        let width = x(median) - LEFT;
        let _infallible = writeln!(
            svg,
            "<rect x=\"{LEFT}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"20\" fill=\"{colour}\"/>\n\
             <path d=\"M{0:.1} {middle:.1}H{1:.1}M{0:.1} {2:.1}v8M{1:.1} {2:.1}v8\" stroke=\"{INK}\"/>",
            x(min),
            x(max),
            middle - 4.0,
        );
        text(&mut svg, (x(max) + 8.0, middle + 4.0), "start", INK, &bar.text);
    }
    svg + "</svg>\n"
}

/// Lines over two axes; above `ceiling` they are cut off.
pub(super) fn lines(title: &str, (x_label, y_label): (&str, &str), lines: &[Line], ceiling: Option<f64>) -> String {
    let (height, top, bottom) = (330.0, 48.0, 286.0);
    let points = || lines.iter().flat_map(|line| &line.points);
    let most_x = round_up(points().map(|point| point.0).fold(f64::MIN_POSITIVE, f64::max));
    let highest = points().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max);
    let most_y = round_up(ceiling.map_or(highest, |ceiling| highest.min(ceiling)));
    let x = |value: f64| 70.0 + value / most_x * (WIDTH - 70.0 - RIGHT - 30.0);
    let y = |value: f64| bottom - (value / most_y).min(1.0) * (bottom - top);
    let mut svg = head(title, height);
    for part in 0..=4 {
        let share = f64::from(part) / 4.0;
        let (value_x, value_y) = (most_x * share, most_y * share);
        let _infallible = writeln!(
            svg,
            "<path d=\"M70 {0:.1}H{1:.1}\" stroke=\"{FAINT}\"/><path d=\"M{2:.1} {bottom}v5\" stroke=\"{INK}\"/>",
            y(value_y),
            x(most_x),
            x(value_x)
        );
        text(&mut svg, (62.0, y(value_y) + 4.0), "end", INK, &short(value_y));
        text(&mut svg, (x(value_x), bottom + 18.0), "middle", INK, &short(value_x));
    }
    text(&mut svg, (70.0, 38.0), "start", "#555555", y_label);
    text(&mut svg, (x(most_x), bottom + 36.0), "end", "#555555", x_label);
    for (number, line) in lines.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let mut path = String::new();
        for (index, point) in line.points.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let _infallible = write!(path, "{command}{:.1} {:.1}", x(point.0), y(point.1));
        }
        let _infallible = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>");
        if lines.len() > 1 {
            text(&mut svg, (x(most_x) + 10.0, top + 12.0 + number as f64 * 16.0), "start", colour, &line.label);
        }
    }
    svg + "</svg>\n"
}

fn head(title: &str, height: f64) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"DejaVu Sans, Arial, sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n"
    );
    let _infallible = writeln!(
        svg,
        "<text x=\"8\" y=\"20\" font-size=\"14\" font-weight=\"bold\" fill=\"{INK}\">{}</text>",
        escaped(title)
    );
    svg
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, colour: &str, text: &str) {
    let text = escaped(text);
    let _infallible =
        writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>");
}

/// Text within XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A round number that is not below.
fn round_up(value: f64) -> f64 {
    let unit = 10f64.powf(value.log10().floor());
    let tops = [1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|factor| factor * unit);
    tops.into_iter().find(|top| *top >= value).unwrap_or(value)
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{} M", round(value / 1e6)),
        value if value >= 1e4 => format!("{} k", round(value / 1e3)),
        value => round(value),
    }
}

fn round(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_well_formed_and_names_everybody() {
        let spread = Spread { min: 1.0, median: 2.0, max: 3.0, rounds: 3 };
        let bar = |label: &str| Bar { label: label.to_owned(), spread, text: "2 ms".to_owned(), ours: false };
        let svg = bars("a < b", &[bar("us"), bar("them & others")]);
        assert!(svg.contains("a &lt; b") && svg.contains("them &amp; others") && svg.ends_with("</svg>\n"));
        let line = |label: &str| Line { label: label.to_owned(), points: vec![(0.0, 1.0), (120_000.0, 900.0)] };
        let svg = lines("t", ("per second", "ms"), &[line("us"), line("them")], Some(500.0));
        assert!(svg.contains(">120 k<") && svg.contains(">500<") && svg.contains(">them<"), "{svg}");
        assert!(!svg.contains("NaN"));
    }
}
