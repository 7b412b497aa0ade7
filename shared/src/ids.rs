//! Identifiers as newtypes: whoever holds one knows that it has been checked.
//!
//! All are cheap to clone. They are parsed at the door (token, request body, configuration) and never again.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// What is wrong with an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// A company id is 1 to 64 of `A-Z a-z 0-9 _ -`.
    #[error("a company id is 1 to 64 characters of A-Z a-z 0-9 _ -")]
    Company,
    /// A user id is 1 to 128 printable characters.
    #[error("a user id is 1 to 128 characters without control characters")]
    User,
    /// A token id is 1 to 256 printable characters.
    #[error("a token id (jti) is 1 to 256 characters without control characters")]
    Token,
    /// An event id is 1 to 128 of `A-Z a-z 0-9 _ - . :`.
    #[error("an event id is 1 to 128 characters of A-Z a-z 0-9 _ - . :")]
    Event,
    /// An event type is `<noun>:<verb>`, each 1 to 32 of `a-z 0-9 _ -`.
    #[error("an event type is <noun>:<verb>, each part 1 to 32 characters of a-z 0-9 _ -")]
    Type,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $error:ident, $pattern:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and keeps it.
            ///
            /// # Errors
            /// The rule that `text` breaks.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(IdError::$error) }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(D::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

id! {
    /// A tenant. Its room is everybody connected for it. 1 to 64 of `A-Z a-z 0-9 _ -`.
    ///
    /// ```
    /// use shared::CompanyId;
    ///
    /// assert!(CompanyId::parse("plomberie-durand").is_ok());
    /// assert!(CompanyId::parse("company:*").is_err()); // so it is no pattern and no key
    /// ```
    CompanyId, Company, "^[A-Za-z0-9_-]{1,64}$",
    |text| matches!(text.len(), 1..=64) && text.bytes().all(|b| word(b) || b.is_ascii_uppercase())
}

id! {
    /// The person or service that a token was issued to (`sub`). 1 to 128 characters, none of them a control character.
    UserId, User, "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,128}$",
    |text| matches!(text.chars().count(), 1..=128) && !text.chars().any(char::is_control)
}

id! {
    /// A token's own id (`jti`), by which it can be revoked. 1 to 256 characters, none of them a control character.
    TokenId, Token, "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,256}$",
    |text| matches!(text.chars().count(), 1..=256) && !text.chars().any(char::is_control)
}

id! {
    /// What makes publishing idempotent: the same event id is stored once. 1 to 128 of `A-Z a-z 0-9 _ - . :`.
    ///
    /// ```
    /// assert!(shared::EventId::parse("devis-signed:d-41").is_ok());
    /// ```
    EventId, Event, "^[A-Za-z0-9_.:-]{1,128}$",
    |text| matches!(text.len(), 1..=128)
        && text.bytes().all(|b| word(b) || b.is_ascii_uppercase() || matches!(b, b'.' | b':'))
}

id! {
    /// What happened, as `<noun>:<verb>`: `devis:signed`. Each part is 1 to 32 of `a-z 0-9 _ -`.
    ///
    /// ```
    /// use shared::EventType;
    ///
    /// assert!(EventType::parse("devis:signed").is_ok());
    /// assert!(EventType::parse("Devis:Signed").is_err());
    /// ```
    EventType, Type, "^[a-z0-9_-]{1,32}:[a-z0-9_-]{1,32}$",
    |text| text.split_once(':').is_some_and(|(noun, verb)| type_part(noun) && type_part(verb))
}

fn word(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
}

/// One side of an event type.
pub(crate) fn type_part(text: &str) -> bool {
    matches!(text.len(), 1..=32) && text.bytes().all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_ids_are_words() {
        for good in ["a", "acme", "Acme_42-x", &"x".repeat(64)] {
            assert!(CompanyId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a:b", "*", "é", "a\n", "a/b", "{a}", &"x".repeat(65)] {
            assert_eq!(CompanyId::parse(bad), Err(IdError::Company), "{bad}");
        }
    }

    #[test]
    fn event_types_are_noun_and_verb() {
        for good in ["devis:signed", "a:b", "stock-item:moved_2"] {
            assert!(EventType::parse(good).is_ok(), "{good}");
        }
        for bad in ["devis", "devis:", ":signed", "a:b:c", "Devis:signed", "a b:c", &format!("{}:b", "a".repeat(33))] {
            assert_eq!(EventType::parse(bad), Err(IdError::Type), "{bad}");
        }
    }

    #[test]
    fn ids_are_checked_when_they_are_deserialized() {
        assert!(serde_json::from_str::<CompanyId>("\"acme\"").is_ok());
        let error = serde_json::from_str::<CompanyId>("\"a*\"").unwrap_err();
        assert!(error.to_string().contains("company id"), "{error}");
    }
}
