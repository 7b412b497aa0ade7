//! Prints what comes: for people, or as it came.

use std::fmt::Display;

use chrono::Local;
use shared::{DeliveryState, EventFrame, Resume, ServerFrame};

use crate::{business::Business, terminal};

/// The way of printing.
pub(super) struct Show {
    json: bool,
}

impl Show {
    /// With `json`, frames alone go to standard output, as they came.
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A frame that is understood.
    pub(super) fn frame(&self, text: &str, frame: &ServerFrame) {
        if self.json {
            return terminal::line(text);
        }
        match frame {
            ServerFrame::Event(event) => self.event(event),
            ServerFrame::Welcome { company_id, last_event_id, resume, token_expires_at, .. } => {
                let resumed = match resume {
                    Resume::Fresh => "from now on",
                    Resume::Recovered => "without a gap",
                    Resume::Lost => "AFTER A LOSS: fetch everything anew",
                };
                self.remark(format!(
                    "connected to {company_id} at {last_event_id}, {resumed}; token until {}",
                    token_expires_at.with_timezone(&Local).format("%H:%M:%S")
                ));
            }
            ServerFrame::Resync { reason, last_event_id } => {
                self.alarm(format!("resync ({reason}), going on from {last_event_id}: fetch everything anew"));
            }
            ServerFrame::Status { delivery: DeliveryState::Degraded } => self.remark("degraded: events come late"),
            ServerFrame::Status { delivery: DeliveryState::Live } => self.remark("live"),
            ServerFrame::Reconnect { after_ms, reason } => {
                self.remark(format!("asked to move in {after_ms} ms ({reason})"));
            }
            ServerFrame::Error { code, message } => self.alarm(format!("{code}: {message}")),
            _ => {}
        }
    }

    /// A frame that a later gateway may send: shown as it is.
    pub(super) fn unknown(&self, text: &str) {
        terminal::line(text);
    }

    /// Something about the connection.
    pub(super) fn remark(&self, text: impl Display) {
        terminal::note(console::style(format!("{} -- {text}", now())).for_stderr().dim());
    }

    /// Something that should not be.
    pub(super) fn alarm(&self, text: impl Display) {
        terminal::note(console::style(format!("{} !! {text}", now())).for_stderr().red().bold());
    }

    fn event(&self, event: &EventFrame) {
        let time = event.time.with_timezone(&Local).format("%H:%M:%S");
        let what = Business::parse(event.r#type.as_str(), &event.data)
            .map_or_else(|| format!("{} {}", event.r#type, event.data), |event| event.sentence());
        terminal::line(format!("{} {what}", console::style(format!("{time} #{:<4}", event.id.seq)).dim()));
    }
}

fn now() -> impl Display {
    Local::now().format("%H:%M:%S")
}
