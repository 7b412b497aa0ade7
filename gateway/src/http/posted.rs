//! An event as it was posted, its members not yet read.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// What an event may have.
const MEMBERS: [&str; 5] = ["companyId", "type", "data", "eventId", "time"];

/// An event as it was posted. Its members are read one by one, so that what is wrong has a name.
pub(super) struct Posted<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Posted<'a> {
    /// A member that is there counts, also when it is `null`.
    pub(super) fn member(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| *value)
    }

    /// The first member that is not known, or that is there twice, and what to say of it. One that is misspelt would be missing
    /// without anybody's knowing it: `eventID` does not make an event idempotent.
    pub(super) fn fault(&self) -> Option<(&str, String)> {
        self.0.iter().enumerate().find_map(|(index, (name, _))| {
            let is_again = self.0[..index].iter().any(|(earlier, _)| earlier == name);
            match MEMBERS.contains(&name.as_ref()) {
                true if is_again => Some((name.as_ref(), "it is there twice".to_owned())),
                true => None,
                false if is_plain(name) => Some((name.as_ref(), format!("it is not known; known are {}", known()))),
                false => Some(("", format!("a member is not known; known are {}", known()))),
            }
        })
    }
}

fn known() -> String {
    MEMBERS.join(", ")
}

/// Other names would have to be escaped where they are pointed at, and may be long.
fn is_plain(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl<'de: 'a, 'a> Deserialize<'de> for Posted<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Posted<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an event, which is an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Posted<'de>, A::Error> {
                let mut members = vec![];
                while let Some(Name(name)) = map.next_key()? {
                    // As soon as it is clear that there are too many; the check says which one.
                    if members.len() > MEMBERS.len() {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        members.push((name, map.next_value()?));
                    }
                }
                Ok(Posted(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A member's name, which is borrowed unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
