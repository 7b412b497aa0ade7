//! Everything that is printed passes here: progress only on a terminal, a closed pipe ends the program.

use std::{
    fmt::Display,
    io::{ErrorKind, IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line of result, on standard output.
pub(crate) fn line(text: impl Display) {
    written(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Something that went wrong, on standard error.
pub(crate) fn problem(text: impl Display) {
    written(writeln!(std::io::stderr().lock(), "chaos: {text}"));
}

/// Nobody reads any more: there is nothing left to do. A full disk or the like is not ours to mend either.
fn written(result: std::io::Result<()>) {
    if result.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        std::process::exit(0);
    }
}

/// A line that shows that something goes on, invisible where standard error is no terminal.
pub(crate) fn spinner(label: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
    let style = ProgressStyle::with_template("{prefix:>8.cyan.bold} {spinner} {elapsed} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(label);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
