//! The frames of the WebSocket protocol, as JSON text. Server-Sent Events carry the same ones.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CompanyId, Cursor, EventType};

/// What the gateway sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "frame", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum ServerFrame {
    /// The first frame of a session.
    Welcome {
        /// The session's own id, for logs and support.
        session: String,
        /// The company whose events follow, from the token.
        company_id: CompanyId,
        /// The place that the session stands at: where it resumed, else the newest event.
        last_event_id: Cursor,
        /// What became of the cursor that the client came with.
        resume: Resume,
        /// A `heartbeat` comes at least this often, in milliseconds.
        heartbeat_ms: u64,
        /// When the token expires; renew it before with an `auth` frame.
        token_expires_at: DateTime<Utc>,
    },
    /// Something happened.
    Event(EventFrame),
    /// The connection lives.
    Heartbeat {},
    /// Something may be missing: fetch everything on screen anew, go on from `lastEventId`.
    Resync {
        /// Why nothing could be proven.
        reason: String,
        /// The place to go on from.
        last_event_id: Cursor,
    },
    /// Whether events arrive as they happen.
    Status {
        /// `degraded` while the link to Redis is down, `live` when it is back and caught up.
        delivery: DeliveryState,
    },
    /// Open a new connection after `afterMs`, then close this one.
    Reconnect {
        /// How long to wait, in milliseconds.
        after_ms: u64,
        /// Why.
        reason: String,
    },
    /// The client did something wrong; the session goes on.
    Error {
        /// Stable, for programs.
        code: String,
        /// For people.
        message: String,
    },
    /// The answer to a client's `ping`.
    Pong {},
}

/// One event as a client sees it. The names follow CloudEvents 1.0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventFrame {
    /// Its place in the company's log.
    pub id: Cursor,
    /// What happened; a type that the client does not know is to be ignored.
    pub r#type: EventType,
    /// The company that it happened in.
    pub company_id: CompanyId,
    /// When.
    pub time: DateTime<Utc>,
    /// The event itself; its shape follows from `type`.
    pub data: serde_json::Value,
}

/// What became of the cursor that a client came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Resume {
    /// It brought none.
    Fresh,
    /// Everything after it follows.
    Recovered,
    /// What followed it is no longer known in full: fetch everything anew.
    Lost,
}

/// Whether events arrive as they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum DeliveryState {
    /// They do.
    Live,
    /// They come late, once the link to Redis is back.
    Degraded,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "frame", rename_all = "camelCase")]
pub enum ClientFrame {
    /// Renews the token in place: same user, same company.
    Auth {
        /// The new token.
        token: String,
    },
    /// Asks for a `pong`.
    Ping {},
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of a folder of golden ones, and how they are written today.
    fn golden(folder: &str) -> Vec<(serde_json::Value, serde_json::Value)> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let frames = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        let frames = frames.map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let written = if name.starts_with("client-") {
                serde_json::to_value(serde_json::from_value::<ClientFrame>(golden.clone()).expect(name)).unwrap()
            } else {
                serde_json::to_value(serde_json::from_value::<ServerFrame>(golden.clone()).expect(name)).unwrap()
            };
            (golden, written)
        });
        frames.collect()
    }

    /// Every golden frame parses and is written back with the same meaning.
    #[test]
    fn golden_frames_round_trip() {
        let frames = golden("fixtures");
        assert!(frames.len() >= 18, "only {} golden frames", frames.len());
        for (golden, written) in frames {
            assert_eq!(written, golden);
        }
    }

    /// Frames of the first version parse, and whatever they said is still said.
    #[test]
    fn frames_of_the_first_version_are_understood() {
        let frames = golden("fixtures/v0.1.0");
        assert!(frames.len() >= 18, "only {} golden frames", frames.len());
        for (golden, written) in frames {
            for (member, value) in golden.as_object().unwrap() {
                assert_eq!(written.get(member), Some(value), "{golden}");
            }
        }
    }

    #[test]
    fn an_unknown_member_does_not_disturb() {
        let frame: ServerFrame = serde_json::from_str(r#"{"frame":"heartbeat","new":1}"#).unwrap();
        assert_eq!(frame, ServerFrame::Heartbeat {});
    }
}
