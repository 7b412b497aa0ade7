//! Everything that is printed passes here: colours and progress only on a terminal, a closed pipe ends the program.

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

/// A remark beside the result, on standard error.
pub(crate) fn note(text: impl Display) {
    // Nobody has to read it: a measurement and its children end in their own way.
    let _unread = writeln!(std::io::stderr().lock(), "{text}");
}

/// Something that went wrong, on standard error.
pub(crate) fn problem(text: impl Display) {
    note(format!("{} {text}", console::style("loadtest:").for_stderr().red().bold()));
}

/// Nobody reads any more: there is nothing left to do. A full disk or the like is not ours to mend either.
fn written(result: std::io::Result<()>) {
    if result.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        std::process::exit(0);
    }
}

/// A progress bar of `length` steps, invisible where standard error is no terminal.
pub(crate) fn progress(label: &'static str, length: u64) -> ProgressBar {
    let bar = bar(length);
    let style = ProgressStyle::with_template("{prefix:>12.cyan.bold} [{bar:30}] {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(label);
    bar
}

/// A spinner for a wait of unknown length, invisible where standard error is no terminal.
pub(crate) fn spinner(label: &'static str) -> ProgressBar {
    let bar = bar(0);
    let style = ProgressStyle::with_template("{prefix:>12.cyan.bold} {spinner} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(label);
    bar
}

fn bar(length: u64) -> ProgressBar {
    if std::io::stderr().is_terminal() {
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(8));
        bar.enable_steady_tick(Duration::from_millis(250));
        bar
    } else {
        ProgressBar::hidden()
    }
}
