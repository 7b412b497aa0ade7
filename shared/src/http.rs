//! The bodies of the HTTP endpoints. The frames inside are those of the WebSocket.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CompanyId, Cursor, DeliveryState, EventId, EventType, Resume, ServerFrame, Target, TokenId, UserId};

/// What a poll answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PollAnswer {
    /// What became of the cursor that the client came with.
    pub resume: Resume,
    /// `degraded` while events come late; left out otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "DeliveryState"))]
    pub delivery: Option<DeliveryState>,
    /// What followed the cursor, oldest first.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<schema::AnEvent>"))]
    pub events: Vec<ServerFrame>,
    /// The cursor of the next poll.
    pub last_event_id: Cursor,
}

/// What is known of a company, for the first paint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LatestEvents {
    /// The newest events, oldest first.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<schema::AnEvent>"))]
    pub events: Vec<ServerFrame>,
    /// The cursor to go on from.
    pub last_event_id: Cursor,
}

/// An event as a service posts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostedEvent {
    /// The company that it happened in.
    pub company_id: CompanyId,
    /// What happened.
    pub r#type: EventType,
    /// The event itself, at most 64 KiB with all that is around it, nested at most 64 deep.
    pub data: serde_json::Value,
    /// What makes it unique: published again within 24 h, it is not stored again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// When it happened; now, when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<DateTime<Utc>>,
}

/// What became of the events that were posted, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublishAnswer {
    /// One for each.
    pub results: Vec<StoredEvent>,
}

/// Where an event is in its company's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoredEvent {
    /// Its place.
    pub id: Cursor,
    /// It was there already, under the same `eventId`.
    pub duplicate: bool,
}

/// Whom to cut off: those to whom everything applies that is set. At least one of the first three must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = schema::names_somebody))]
// A member that is misspelled would make the target wider than was meant.
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevocationRequest {
    /// Tokens of this company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<CompanyId>,
    /// Tokens of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The token with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<TokenId>,
    /// When the last of these tokens will have expired: a time to come, within a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// Who has been cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RevocationAnswer {
    /// Whose tokens count no more.
    pub revoked: Target,
    /// Until when that is kept.
    pub until: DateTime<Utc>,
}

/// A refusal, as RFC 9457 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Problem"))]
pub struct ProblemBody<'a> {
    /// `about:blank`: the code says what it is.
    pub r#type: Cow<'a, str>,
    /// The status in words.
    pub title: Cow<'a, str>,
    /// The status.
    pub status: u16,
    /// Stable, for programs.
    pub code: Cow<'a, str>,
    /// For people.
    pub detail: Cow<'a, str>,
    /// What in the request's body is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Mistake<'static>>"))]
    pub errors: Option<Vec<Mistake<'a>>>,
}

/// One thing that is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mistake<'a> {
    /// Where, as a JSON pointer in a URI fragment: `#/2/type`.
    pub pointer: Cow<'a, str>,
    /// What.
    pub detail: Cow<'a, str>,
}

#[cfg(feature = "schema")]
pub(crate) use schema::all as schemas;

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    /// Puts the schemas of all bodies, and of what they are made of, into the generator.
    pub(crate) fn all(generator: &mut SchemaGenerator) {
        generator.subschema_for::<super::PollAnswer>();
        generator.subschema_for::<super::LatestEvents>();
        generator.subschema_for::<super::PostedEvent>();
        generator.subschema_for::<super::PublishAnswer>();
        generator.subschema_for::<super::RevocationRequest>();
        generator.subschema_for::<super::RevocationAnswer>();
        generator.subschema_for::<super::ProblemBody<'static>>();
    }

    /// One of the frames: its schema is in the file of the frames.
    pub(super) struct AnEvent;

    impl JsonSchema for AnEvent {
        fn inline_schema() -> bool {
            true
        }
        fn schema_name() -> Cow<'static, str> {
            "AnEvent".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "$ref": "server-frame.json#/$defs/Event" })
        }
    }

    /// Nobody is everybody.
    pub(super) fn names_somebody(schema: &mut Schema) {
        let named =
            |member: &str| json_schema!({ "required": [member], "properties": { member: { "type": "string" } } });
        schema.insert(
            "anyOf".into(),
            ["companyId", "userId", "jti"].map(|member| named(member).to_value()).to_vec().into(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn round_trip<T: Serialize + DeserializeOwned>(golden: &serde_json::Value) -> serde_json::Value {
        serde_json::to_value(T::deserialize(golden).unwrap()).unwrap()
    }

    /// Every golden body parses and is written back with the same meaning; those of the first version, too.
    #[test]
    fn golden_bodies_round_trip() {
        for folder in ["fixtures/http", "fixtures/v0.1.0/http"] {
            bodies_round_trip(folder);
        }
    }

    fn bodies_round_trip(folder: &str) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let written = match name.split('-').next().unwrap() {
                "poll" => round_trip::<PollAnswer>(&golden),
                "events" => round_trip::<LatestEvents>(&golden),
                "publish" if golden.is_array() => round_trip::<Vec<PostedEvent>>(&golden),
                "publish" => round_trip::<PostedEvent>(&golden),
                "published" => round_trip::<PublishAnswer>(&golden),
                "revoke" => round_trip::<RevocationRequest>(&golden),
                "revoked" => round_trip::<RevocationAnswer>(&golden),
                "problem" => round_trip::<ProblemBody<'_>>(&golden),
                _ => panic!("{name}: of which endpoint?"),
            };
            assert_eq!(written, golden, "{name}");
            seen += 1;
        }
        assert!(seen >= 11, "only {seen} golden bodies");
    }
}
