//! `report`: adds files of results up and writes them for people: a page that opens from disk, and a Markdown document
//! with its plots beside it.

mod html;
mod markdown;
mod plots;
mod tables;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;

use super::Results;
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
        file(path, &html::page(results, &plots))?;
    }
    if let Some(path) = markdown {
        file(path, &markdown::document(results, &plots))?;
        for plot in &plots {
            file(&path.with_file_name("images").join(plot.file()), &plot.svg)?;
        }
    }
    Ok(())
}

fn file(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
