//! `report`: adds files of results up and writes them for people: a page that opens from disk, and a Markdown document
//! with its plots beside it.

mod html;
mod markdown;
mod plots;
mod tables;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{Results, save};
use crate::terminal;

/// Which files, and what to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of results; runs that several generators made together add up
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write a page that stands alone
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a Markdown document, and its plots to `images/` beside it
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write all of it as one file of results
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn command(args: &Args) -> anyhow::Result<ExitCode> {
    let files = args.files.iter().map(|path| Results::read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let results = Results::merged(files)?;
    show(&results);
    write(&results, args.html.as_deref(), args.markdown.as_deref())?;
    if let Some(path) = &args.json {
        results.write(path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints it.
pub(crate) fn show(results: &Results) {
    for line in tables::plain(results) {
        terminal::line(line);
    }
}

/// Writes what is asked for.
pub(crate) fn write(results: &Results, html: Option<&Path>, markdown: Option<&Path>) -> anyhow::Result<()> {
    let plots = plots::all(results);
    if let Some(path) = html {
        save(path, &html::page(results, &plots))?;
    }
    if let Some(path) = markdown {
        save(path, &markdown::document(results, &plots))?;
        for plot in &plots {
            save(&path.with_file_name("images").join(plot.file()), &plot.svg)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        results::{BENCH, Measured, Run},
        system::Kind,
    };

    #[test]
    fn a_system_that_never_ran_is_named_and_nothing_of_it_is_markup() {
        let mut results = Results::here();
        let place = crate::system::Place {
            gateway: PathBuf::new(),
            peers: "/no/such/folder".into(),
            redis: String::new(),
            secret: String::new(),
            limited: false,
        };
        results.systems.insert(Kind::Nats, Kind::Nats.about(Some(&place)));
        let outcome = Measured::Failed { what: "storm".to_owned(), why: "<script>\n\n| said".to_owned() };
        results.runs.push(Run { system: Kind::Nats, round: 1, generator: BENCH.to_owned(), outcome });
        let plots = plots::all(&results);
        for text in [html::page(&results, &plots), markdown::document(&results, &plots)] {
            assert!(text.contains("Nats, storm, round 1: storm: &lt;script&gt; | said"), "{text}");
            assert!(!text.contains("<script>") && !text.contains("NaN"));
        }
        assert!(!markdown::document(&results, &plots).contains("## Pair by pair"));
    }
}
