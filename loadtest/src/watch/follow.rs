//! Follows the company: connects, reads, judges, reconnects, until something says stop.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde::Deserialize;
use shared::{ServerFrame, TypePattern};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    Args,
    connection::{Connection, Incoming, patience},
    gate::{Gate, Verdict},
    next::Next,
    show::Show,
};
use crate::{
    backoff::Backoff,
    defaults::{BACKOFF, SILENCE},
};

/// Follows one company.
pub(super) struct Follower {
    args: Args,
    gate: Gate,
    show: Show,
    backoff: Backoff,
    patience: Duration,
    /// When to move to another connection, once the gateway has asked for it.
    move_at: Option<Instant>,
    events: u64,
    welcomes: u64,
    lost: u64,
}

impl Follower {
    pub(super) fn new(args: Args) -> Self {
        let filtered = args.types.is_some() || allowed_events(args.token.expose_secret());
        Self {
            gate: Gate::new(args.last_event_id, filtered),
            show: Show::new(args.json),
            args,
            backoff: Backoff::default(),
            patience: SILENCE,
            move_at: None,
            events: 0,
            welcomes: 0,
            lost: 0,
        }
    }

    /// Follows until told to stop; the reason comes back.
    pub(super) async fn follow(&mut self) -> String {
        let mut current: Option<Connection> = None;
        loop {
            let connection = match current.take() {
                Some(connection) => Ok(connection),
                None => self.open().await,
            };
            let (why, next) = match connection {
                Ok(mut connection) => match self.read(&mut connection).await {
                    Ok(()) => {
                        current = Some(self.moved(connection).await);
                        continue;
                    }
                    Err(over) => over,
                },
                Err(refused) => refused,
            };
            let pause = match next {
                Next::Resume => Duration::from_secs_f64(BACKOFF.0.as_secs_f64() * rand::random::<f64>()),
                Next::BackOff(at_least) => self.backoff.next(at_least),
                Next::NewToken => return format!("{why}: a new token is needed"),
                Next::Stop => return format!("{why}: coming back is of no use"),
            };
            self.show.remark(format!("{why}; again in {:.1} s", pause.as_secs_f64()));
            sleep(pause).await;
        }
    }

    /// Whether nothing was missing and nothing came twice.
    pub(super) fn proven(&self) -> bool {
        self.gate.holes == 0 && self.gate.doubles == 0
    }

    /// What there was, in one line.
    pub(super) fn summary(&self) -> String {
        format!(
            "{} events, {} reconnects, {} times lost or resync, {} missing, {} doubles",
            self.events,
            self.welcomes.saturating_sub(1),
            self.lost,
            self.gate.holes,
            self.gate.doubles
        )
    }

    async fn open(&self) -> Result<Connection, (String, Next)> {
        Connection::open(&self.args.url, &self.args.token, self.args.types.as_deref(), self.gate.position()).await
    }

    /// Opens the connection to move to, and only then closes the old one. The old one is not read meanwhile: what it
    /// still holds follows the cursor that the new one resumes from, and comes over that.
    async fn moved(&mut self, old: Connection) -> Connection {
        match self.open().await {
            Ok(new) => {
                old.close().await;
                new
            }
            Err((why, _)) => {
                self.show.remark(format!("cannot move yet: {why}"));
                self.move_at = Some(Instant::now() + self.backoff.next(None));
                old
            }
        }
    }

    /// Reads until the connection is over, or until it is time to move.
    async fn read(&mut self, connection: &mut Connection) -> Result<(), (String, Next)> {
        loop {
            let time_to_move = async {
                match self.move_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let incoming = tokio::select! {
                incoming = connection.next(self.patience) => incoming,
                () = time_to_move => {
                    self.move_at = None;
                    return Ok(());
                }
            };
            match incoming {
                Incoming::Text(text) => self.frame(&text),
                Incoming::Over(why, next) => {
                    self.move_at = None;
                    return Err((why, next));
                }
            }
        }
    }

    fn frame(&mut self, text: &str) {
        let Ok(frame) = serde_json::from_str::<ServerFrame>(text) else { return self.show.unknown(text) };
        self.show.frame(text, &frame);
        match frame {
            ServerFrame::Welcome { resume, last_event_id, heartbeat_ms, .. } => {
                self.welcomes += 1;
                self.backoff.reset();
                self.patience = patience(heartbeat_ms);
                let ours = self.gate.position();
                self.lost += u64::from(resume == shared::Resume::Lost);
                if !self.gate.welcome(resume, last_event_id) {
                    self.show.alarm(format!("resumed at {last_event_id}, but we stood at {ours:?}"));
                }
            }
            ServerFrame::Event(event) => {
                self.events += 1;
                match self.gate.event(event.id) {
                    Verdict::Next => {}
                    Verdict::Hole(missing) => self.show.alarm(format!("HOLE: {missing} missing before {}", event.id)),
                    Verdict::Double => self.show.alarm(format!("DOUBLE or out of order: {}", event.id)),
                }
            }
            ServerFrame::Resync { last_event_id, .. } => {
                self.lost += 1;
                self.gate.resync(last_event_id);
            }
            ServerFrame::Reconnect { after_ms, .. } => {
                self.move_at = Some(Instant::now() + Duration::from_millis(after_ms));
            }
            _ => {}
        }
    }
}

/// Whether the token itself lets only some types pass. Its signature is the gateway's business.
fn allowed_events(token: &str) -> bool {
    #[derive(Deserialize)]
    struct Events {
        events: Option<Vec<TypePattern>>,
    }
    jsonwebtoken::dangerous::insecure_decode_claims::<Events>(token)
        .is_ok_and(|claims| claims.events.is_some_and(|events| !events.contains(&TypePattern::Any)))
}
