//! The command line as a whole, and how its errors are told.

use std::{error::Error, ffi::OsString, process::ExitCode, time::Duration};

use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use secrecy::SecretString;
use shared::{CompanyClaim, Scope, TypeFilter, TypePattern, UserId};

use super::{AuthConfig, LimitsConfig, ListenConfig, PaceConfig, PagesConfig, RedisConfig, TelemetryConfig};

/// Realtime gateway: holds the WebSocket sessions of many companies and delivers to each its company's events, in
/// order, each once.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeConfig,
}

/// What the program can do besides serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a token signed with the configured secret
    Token(Box<TokenConfig>),
    /// Copy all companies' logs from one Redis to where GATEWAY_REDIS_URL leads, while nobody publishes
    Carry(CarryConfig),
    /// Print the OpenAPI document that is served at /v1/openapi.json
    Openapi,
}

/// Everything that serving needs.
#[derive(Debug, Args)]
pub struct ServeConfig {
    /// Development: make a secret for this run if no key is set, and allow http://localhost:* as origin
    #[arg(long)]
    pub dev: bool,
    /// Addresses.
    #[command(flatten)]
    pub listen: ListenConfig,
    /// The backplane.
    #[command(flatten)]
    pub redis: RedisConfig,
    /// Tokens and origins.
    #[command(flatten)]
    pub auth: AuthConfig,
    /// Caps.
    #[command(flatten)]
    pub limits: LimitsConfig,
    /// Timing.
    #[command(flatten)]
    pub pace: PaceConfig,
    /// Files.
    #[command(flatten)]
    pub pages: PagesConfig,
    /// Logs.
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
}

/// What the printed token says.
#[derive(Debug, Args)]
pub struct TokenConfig {
    /// Company whose room it opens; * for a service
    #[arg(long)]
    pub company: CompanyClaim,
    /// User that it is issued to
    #[arg(long)]
    pub user: UserId,
    /// Role in the application
    #[arg(long)]
    pub role: Option<String>,
    /// Rights of a service, space-separated: publish, admin
    #[arg(long, value_parser = scope)]
    pub scope: Option<String>,
    /// Types that it may receive, comma-separated: devis:*,facture:paid [default: all]
    #[arg(long, value_parser = |text: &str| TypeFilter::parse_list(text).map(Patterns))]
    pub events: Option<Patterns>,
    /// How long it counts: 90s, 15m, 1h, 7d
    #[arg(long, default_value = "1h", value_parser = duration)]
    pub ttl: Duration,
    /// The key that signs it.
    #[command(flatten)]
    pub auth: AuthConfig,
}

/// Which Redis is left for which.
#[derive(Debug, Args)]
pub struct CarryConfig {
    /// Redis that has the logs
    #[arg(long, env = "GATEWAY_CARRY_FROM", value_name = "URL", value_parser = super::redis::url, hide_env_values = true)]
    pub from: SecretString,
    /// Where they go.
    #[command(flatten)]
    pub redis: RedisConfig,
}

/// A list of type patterns, as one argument.
#[derive(Debug, Clone)]
pub struct Patterns(pub Vec<TypePattern>);

/// A right that is misspelled would be signed, and be none.
fn scope(text: &str) -> Result<String, String> {
    let known = [Scope::Publish, Scope::Admin].map(Scope::as_str);
    match text.split(' ').find(|word| !known.contains(word)) {
        Some(word) => Err(format!("there is no right '{word}', only {}", known.join(" and "))),
        None => Ok(text.to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("expected a number with s, m, h or d".into()),
    };
    let number: u64 = digits.parse().map_err(|_| "expected a number with s, m, h or d")?;
    number.checked_mul(factor).map(Duration::from_secs).ok_or_else(|| "too long".into())
}

/// Parses the command line; on `--help` and `--version` prints them, on an error one line.
///
/// # Errors
/// The exit code to end with.
#[expect(clippy::print_stderr, reason = "there is no log before the configuration is known")]
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, ExitCode> {
    let matches = command().try_get_matches_from(arguments);
    matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nothing is left to do when standard output is gone.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{}", one_line(&error));
            ExitCode::from(2)
        }
    })
}

/// The command line, where no command's help names what does nothing for it.
fn command() -> clap::Command {
    let idle = ["jwt_public_key_file", "jwks_url", "allowed_origins", "revocation_secs"];
    Cli::command().mut_subcommand("token", |token| {
        token.mut_args(|one| if idle.contains(&one.get_id().as_str()) { one.hide(true) } else { one })
    })
}

/// Those of these names that begin like the gateway's variables and are none. Kubernetes sets some for a Service `gateway`.
#[must_use]
pub fn unknown_variables(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let command = Cli::command();
    let arguments = command.get_arguments().chain(command.get_subcommands().flat_map(clap::Command::get_arguments));
    let known: Vec<_> = arguments.filter_map(|one| one.get_env()?.to_str()).collect();
    names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with("GATEWAY_") && !known.contains(&name.as_str()))
        .filter(|name| !name.starts_with("GATEWAY_SERVICE_") && !name.starts_with("GATEWAY_PORT"))
        .collect()
}

/// One line that says what is wrong and names the variable. Never the value of a secret, nor of a URL with a password.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or("error: bad arguments");
    let first = first.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return first };
    let mut command = Cli::command();
    command.build();
    let argument = command.get_arguments().find(|argument| argument.to_string() == *flag);
    let Some(variable) = argument.and_then(clap::Arg::get_env) else { return first };
    let variable = variable.to_string_lossy();
    match (error.source(), error.get(ContextKind::InvalidValue)) {
        (Some(reason), _) if SECRETS.contains(&&*variable) => format!("error: {variable} ({flag}): {reason}"),
        (Some(reason), Some(value)) => format!("error: {variable} ({flag}): invalid value '{value}': {reason}"),
        _ => format!("{first} (variable {variable})"),
    }
}

/// Variables whose value is not to be shown.
const SECRETS: [&str; 3] = ["GATEWAY_JWT_SECRET", "GATEWAY_REDIS_URL", "GATEWAY_JWKS_URL"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn errors_name_the_variable() {
        let error = Cli::try_parse_from(["gateway", "--listen", "nonsense"]).unwrap_err();
        let line = one_line(&error);
        assert!(line.contains("nonsense") && line.contains("GATEWAY_LISTEN"), "{line}");
        assert!(!line.contains('\n'));
        let error = Cli::try_parse_from(["gateway", "--redis-url", "http://user:hunter2@redis"]).unwrap_err();
        let line = one_line(&error);
        assert!(line.contains("GATEWAY_REDIS_URL") && line.contains("http://"), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }

    #[test]
    fn a_configuration_that_is_printed_keeps_its_secrets() {
        let arguments = ["gateway", "--redis-url", "redis://:hunter2@redis", "--jwt-secret", "hunter2"];
        let cli = Cli::try_parse_from(arguments).unwrap();
        let printed = format!("{cli:#?}");
        assert!(printed.contains("redis_url") && !printed.contains("hunter2"), "{printed}");
    }

    #[test]
    fn a_right_that_does_not_exist_is_refused() {
        for known in ["publish", "admin", "publish admin"] {
            assert_eq!(scope(known).as_deref(), Ok(known));
        }
        for unknown in ["", "publisher", "publish,admin", "publish  admin"] {
            assert!(scope(unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn a_variable_that_is_misspelled_is_named() {
        let set = ["GATEWAY_LISTEN", "GATEWAY_REDIS_ULR", "GATEWAY_PORT_80_TCP", "GATEWAY_CARRY_FROM", "HOME"];
        assert_eq!(unknown_variables(set.into_iter().map(OsString::from)), ["GATEWAY_REDIS_ULR"]);
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        for bad in ["", "h", "1w", "-1s", "1.5h", "99999999999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
