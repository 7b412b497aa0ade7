//! Writes the JSON Schemas of the protocol into a folder, or checks that they are there and current.
//!
//! `schema [--check] FOLDER`

use std::{path::Path, process::ExitCode};

#[expect(clippy::print_stderr, reason = "a command-line tool")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (check, folder) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--check", folder] => (true, folder),
        [folder] if !folder.starts_with('-') => (false, folder),
        _ => {
            eprintln!("usage: schema [--check] FOLDER");
            return ExitCode::from(2);
        }
    };
    for (name, text) in shared::schema::files() {
        let path = Path::new(folder).join(name);
        let current = std::fs::read_to_string(&path).is_ok_and(|found| found == text);
        if current {
            continue;
        }
        if check {
            eprintln!("{} is not what the types say: run `make schema`", path.display());
            return ExitCode::FAILURE;
        }
        if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        eprintln!("wrote {}", path.display());
    }
    ExitCode::SUCCESS
}
