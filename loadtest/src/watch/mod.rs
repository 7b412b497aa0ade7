//! `watch`: follows one company in the terminal and checks the gateway's promise while doing so.
//!
//! [`gate`] judges every id (next, hole, double), [`next`] says what a refusal or a close code asks of a client;
//! both are pure. [`connection`] opens and reads the socket, [`show`] prints, [`follow`] ties them together.

mod connection;
mod follow;
mod gate;
mod next;
mod show;

use std::process::ExitCode;

use reqwest::Url;
use secrecy::SecretString;
use shared::Cursor;

use crate::terminal;

/// Whom to follow.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The gateway's WebSocket
    #[arg(long, env = "LOADTEST_URL", default_value = "ws://127.0.0.1:8080/v1/ws")]
    url: Url,
    /// The token, which also says which company (`gateway token --company C --user U`)
    #[arg(long, env = "LOADTEST_TOKEN", hide_env_values = true)]
    token: SecretString,
    /// Go on after this event
    #[arg(long, value_name = "CURSOR")]
    last_event_id: Option<Cursor>,
    /// Only these types, as in devis:*,facture:paid; ids are then not checked for holes
    #[arg(long, value_name = "PATTERNS")]
    types: Option<String>,
    /// Print each frame as it came, one a line, and nothing else on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command. Ctrl-C is a good end, unless there was a hole or a double; so is no stop that the gateway asked for.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.url.scheme() == "ws", "--url speaks ws:// only; end TLS before it");
    let mut follower = follow::Follower::new(args);
    let stopped = tokio::select! {
        reason = follower.follow() => Some(reason),
        _ = tokio::signal::ctrl_c() => None,
    };
    terminal::note(follower.summary());
    if let Some(reason) = &stopped {
        terminal::problem(reason);
    }
    Ok(if stopped.is_none() && follower.proven() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
