//! `chaos`: see the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    chaos::Cli::parse().run()
}
