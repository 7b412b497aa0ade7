//! Parses, starts telemetry, builds, runs, and ends with an exit code.

use std::process::ExitCode;

use gateway::{
    application::Application,
    carry,
    config::{CarryConfig, Cli, Command, ServeConfig, parse, unknown_variables},
    http, telemetry, token,
    traces::Traces,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Bad configuration.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match cli {
        Cli { command: Some(Command::Token(config)), .. } => print_token(token::make(*config)),
        Cli { command: Some(Command::Carry(config)), .. } => copy(config),
        Cli { command: Some(Command::Openapi), .. } => describe(),
        Cli { command: None, serve } => run(serve),
    }
}

#[expect(clippy::print_stdout, reason = "the token is the program's output")]
fn print_token(token: anyhow::Result<String>) -> ExitCode {
    match token {
        Ok(token) => {
            println!("{token}");
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error),
    }
}

#[expect(clippy::print_stdout, reason = "what was done is the program's output")]
fn copy(config: CarryConfig) -> ExitCode {
    match actix_rt::System::new().block_on(carry::carry(config)) {
        Ok(copied) => {
            println!("{copied} keys copied");
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error),
    }
}

#[expect(clippy::print_stdout, reason = "the document is the program's output")]
fn describe() -> ExitCode {
    print!("{}", http::openapi());
    ExitCode::SUCCESS
}

fn run(config: ServeConfig) -> ExitCode {
    let traces = match telemetry::init(&config.telemetry).and_then(|()| Traces::new(&config.telemetry)) {
        Ok(traces) => traces,
        Err(error) => return complain(&error),
    };
    for name in unknown_variables(std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!("there is no setting {name}; see gateway --help");
    }
    let code = serve(config, traces.clone());
    traces.end();
    code
}

fn serve(config: ServeConfig, traces: Traces) -> ExitCode {
    actix_rt::System::new().block_on(async {
        let application = match Application::build(config, traces) {
            Ok(application) => application,
            Err(error) => return complain(&error),
        };
        match application.run().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error:#}");
                ExitCode::FAILURE
            }
        }
    })
}

#[expect(clippy::print_stderr, reason = "one clear line, whatever the log filter")]
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(USAGE)
}
