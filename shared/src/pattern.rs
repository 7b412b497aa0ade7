//! Which event types somebody may or wants to see: `devis:*`, `facture:paid`, `*`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::ids::type_part;

/// The text is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a type pattern is *, <noun>:* or <noun>:<verb>")]
pub struct PatternError;

/// One pattern over event types.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypePattern {
    /// `*`: every type.
    Any,
    /// `devis:*`: every type of one noun.
    Noun(String),
    /// `facture:paid`: this type alone.
    Exact(String),
}

impl TypePattern {
    fn matches(&self, event_type: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Noun(noun) => event_type.strip_prefix(noun.as_str()).is_some_and(|rest| rest.starts_with(':')),
            Self::Exact(exact) => event_type == exact,
        }
    }
}

impl FromStr for TypePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.split_once(':') {
            Some((noun, "*")) if type_part(noun) => Ok(Self::Noun(noun.to_owned())),
            Some((noun, verb)) if type_part(noun) && type_part(verb) => Ok(Self::Exact(text.to_owned())),
            _ => Err(PatternError),
        }
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Noun(noun) => write!(f, "{noun}:*"),
            Self::Exact(exact) => f.write_str(exact),
        }
    }
}

impl Serialize for TypePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TypePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for TypePattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TypePattern".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(\\*|[a-z0-9_-]{1,32}:(\\*|[a-z0-9_-]{1,32}))$" })
    }
}

/// What a session receives: what its token allows, narrowed by what it asked for.
///
/// Sessions with equal filters share the work of a delivery, so equal meanings compare equal where that is cheap.
///
/// ```
/// use shared::TypeFilter;
///
/// let allowed = TypeFilter::parse_list("devis:*,facture:paid")?;
/// let filter = TypeFilter::new(Some(allowed), None);
/// assert!(filter.passes("devis:signed") && !filter.passes("facture:created"));
/// # Ok::<(), shared::PatternError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TypeFilter {
    /// `None` lets everything pass.
    allowed: Option<Box<[TypePattern]>>,
    wanted: Option<Box<[TypePattern]>>,
}

impl TypeFilter {
    /// What a token's `events` claim allows and a client's `types` asks for; `None` bounds nothing.
    #[must_use]
    pub fn new(allowed: Option<Vec<TypePattern>>, wanted: Option<Vec<TypePattern>>) -> Self {
        let normal = |patterns: Option<Vec<TypePattern>>| {
            let mut patterns = patterns?;
            patterns.sort_unstable();
            patterns.dedup();
            (!patterns.contains(&TypePattern::Any)).then(|| patterns.into_boxed_slice())
        };
        Self { allowed: normal(allowed), wanted: normal(wanted) }
    }

    /// Parses a client's list: `devis:*,facture:paid`.
    ///
    /// # Errors
    /// When one of the items is not a pattern.
    pub fn parse_list(text: &str) -> Result<Vec<TypePattern>, PatternError> {
        text.split(',').map(str::parse).collect()
    }

    /// The same wishes under what another token allows.
    #[must_use]
    pub fn with_allowed(&self, allowed: Option<Vec<TypePattern>>) -> Self {
        Self { wanted: self.wanted.clone(), ..Self::new(allowed, None) }
    }

    /// Whether every event passes.
    #[must_use]
    pub fn passes_all(&self) -> bool {
        self.allowed.is_none() && self.wanted.is_none()
    }

    /// Whether an event of this type passes.
    #[must_use]
    pub fn passes(&self, event_type: &str) -> bool {
        let matches = |patterns: &Option<Box<[TypePattern]>>| {
            patterns.as_ref().is_none_or(|list| list.iter().any(|pattern| pattern.matches(event_type)))
        };
        matches(&self.allowed) && matches(&self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Option<Vec<TypePattern>> {
        Some(TypeFilter::parse_list(text).unwrap())
    }

    #[test]
    fn patterns_match_whole_parts() {
        let filter = TypeFilter::new(list("devis:*,facture:paid"), None);
        for passes in ["devis:signed", "devis:created", "facture:paid"] {
            assert!(filter.passes(passes), "{passes}");
        }
        for stays in ["devis-x:signed", "facture:paid-x", "facture:created", "message:received"] {
            assert!(!filter.passes(stays), "{stays}");
        }
    }

    #[test]
    fn a_wish_never_widens_what_is_allowed() {
        let filter = TypeFilter::new(list("devis:*"), list("*"));
        assert!(filter.passes("devis:signed") && !filter.passes("facture:paid"));
        let filter = TypeFilter::new(Some(vec![]), list("*"));
        assert!(!filter.passes("devis:signed"), "an empty claim allows nothing");
        let filter = TypeFilter::new(list("*"), list("facture:paid"));
        assert!(filter.passes("facture:paid") && !filter.passes("devis:signed"));
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for bad in ["", "devis", "devis:", ":*", "*:signed", "de*:x", "a:b,,c:d", "A:*"] {
            assert_eq!(TypeFilter::parse_list(bad), Err(PatternError), "{bad}");
        }
    }
}
