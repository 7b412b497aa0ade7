//! The body of a publish request becomes sealed events. Whatever is wrong is said with its place, as a JSON pointer.

use std::fmt::Display;

use actix_http::header::HeaderMap;
use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::{CompanyId, Envelope, EnvelopeError, EventId, EventType};

use super::{Problem, posted::Posted};
use crate::defaults::MAX_PUBLISH_BATCH;

/// The header `Idempotency-Key`: the event id of a single event, with its number behind it that of each of a batch.
#[derive(Debug)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of a request, bare or in quotes as the header's draft standard has it.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim();
        let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        EventId::parse(key).map_err(|error| Self::refused(&error))?;
        Ok(Some(Self(key.to_owned())))
    }

    fn event_id(&self, place: Option<usize>) -> Result<EventId, Problem> {
        let id = place.map_or_else(|| self.0.clone(), |index| format!("{}-{index}", self.0));
        EventId::parse(&id).map_err(|error| Self::refused(&error))
    }

    fn refused(error: &dyn Display) -> Problem {
        Problem::bad_request("invalid_idempotency_key", &format!("Idempotency-Key: {error}"))
    }
}

/// Checks a body, one event or an array, and seals its events.
pub(crate) fn seal(
    body: &[u8],
    key: Option<&IdempotencyKey>,
    may_publish: impl Fn(&CompanyId) -> bool,
) -> Result<Vec<Envelope>, Problem> {
    let many = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let whole = Place(None);
    let drafts: Vec<&RawValue> = if many {
        serde_json::from_slice(body).map_err(|error| whole.invalid("", &error))?
    } else {
        vec![serde_json::from_slice(body).map_err(|error| whole.invalid("", &error))?]
    };
    if drafts.is_empty() {
        return Err(whole.invalid("", &"there is no event in the array"));
    }
    if drafts.len() > MAX_PUBLISH_BATCH {
        let detail = format!("{} events, at most {MAX_PUBLISH_BATCH} may be published at once", drafts.len());
        return Err(Problem::bad_request("too_many_events", &detail));
    }
    let now = Utc::now();
    drafts
        .into_iter()
        .enumerate()
        .map(|(index, text)| {
            let place = Place(many.then_some(index));
            let event: Posted<'_> =
                serde_json::from_str(text.get()).map_err(|error| place.invalid("", &place_less(&error)))?;
            if let Some((member, fault)) = event.fault() {
                return Err(place.invalid(member, &fault));
            }
            let company: CompanyId = place.required("companyId", &event)?;
            if !may_publish(&company) {
                let detail = format!("the token does not speak for company {company}");
                return Err(Problem::forbidden(&detail).at(place.pointer("companyId"), &detail));
            }
            let event_type: EventType = place.required("type", &event)?;
            let data = event.member("data").ok_or_else(|| place.missing("data"))?;
            let event_id = match (place.optional("eventId", &event)?, key) {
                (Some(own), _) => own,
                (None, Some(key)) => key.event_id(place.0)?,
                (None, None) => publisher::new_event_id(),
            };
            let time = place.time(&event)?.unwrap_or(now);
            Envelope::raw(&company, event_id, event_type, time, data).map_err(|error| place.refused(&error))
        })
        .collect()
}

/// What the parser says of a part of the body. It counts lines from the part's own beginning, which nobody sees.
fn place_less(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    text.truncate(text.rfind(" at line ").unwrap_or(text.len()));
    text
}

/// Where an event is: its index in the array, if it is in one.
#[derive(Clone, Copy)]
struct Place(Option<usize>);

impl Place {
    fn required<'a, T: Deserialize<'a>>(self, member: &str, event: &Posted<'a>) -> Result<T, Problem> {
        let value = event.member(member).ok_or_else(|| self.missing(member))?;
        serde_json::from_str(value.get()).map_err(|error| self.invalid(member, &place_less(&error)))
    }

    /// A member that may be left out, or be `null`.
    fn optional<'a, T: Deserialize<'a>>(self, member: &str, event: &Posted<'a>) -> Result<Option<T>, Problem> {
        let Some(value) = event.member(member) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|error| self.invalid(member, &place_less(&error)))
    }

    fn time(self, event: &Posted<'_>) -> Result<Option<DateTime<Utc>>, Problem> {
        let expected = "it is not a time as RFC 3339 has it, such as 2026-11-22T10:00:00Z";
        let refused = || self.invalid("time", &expected);
        let time: Option<DateTime<Utc>> = self.optional("time", event).map_err(|_| refused())?;
        // Other years cannot be written as RFC 3339 has it, and no browser reads a leap second.
        let writable =
            |time: &DateTime<Utc>| (0..=9999).contains(&time.year()) && time.timestamp_subsec_nanos() < 1_000_000_000;
        if time.as_ref().is_none_or(writable) { Ok(time) } else { Err(refused()) }
    }

    fn missing(self, member: &str) -> Problem {
        self.invalid(member, &"it is missing")
    }

    fn refused(self, error: &EnvelopeError) -> Problem {
        match error {
            EnvelopeError::TooBig(_) => {
                let detail = error.to_string();
                Problem::too_large(&self.detail("data", &detail)).at(self.pointer("data"), &detail)
            }
            _ => self.invalid("data", error),
        }
    }

    /// What is wrong with one member of the event, or with the event itself.
    fn invalid(self, member: &str, error: &dyn Display) -> Problem {
        let error = error.to_string();
        Problem::bad_request("invalid_event", &self.detail(member, &error)).at(self.pointer(member), &error)
    }

    /// The same for whoever reads one line alone.
    fn detail(self, member: &str, error: &str) -> String {
        let event = self.0.map(|index| format!("event {index}"));
        let member = (!member.is_empty()).then(|| member.to_owned());
        let words: Vec<String> = event.into_iter().chain(member).chain([error.to_owned()]).collect();
        words.join(": ")
    }

    /// A JSON pointer in a URI fragment. No member's name has a character to escape.
    fn pointer(self, member: &str) -> String {
        let index = self.0.map(|index| format!("/{index}")).unwrap_or_default();
        if member.is_empty() { format!("#{index}") } else { format!("#{index}/{member}") }
    }
}
