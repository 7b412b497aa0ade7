//! A place in a company's log.
//!
//! `epoch` is the birth time of the log, `seq` counts its events from 1 without a hole. So two neighbours prove that
//! nothing is missing between them, and a change of epoch says that the log was born again.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The text is not `<epoch>-<seq>`, two decimal numbers of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is <epoch>-<seq>, two decimal numbers")]
pub struct CursorError;

/// A place in a company's log: `<epoch>-<seq>`. Ordered by epoch, then by seq.
///
/// Clients treat it as an opaque string: both numbers may exceed 2^53.
///
/// ```
/// use shared::Cursor;
///
/// let place: Cursor = "1763800000123-43".parse()?;
/// assert_eq!((place.epoch, place.seq), (1_763_800_000_123, 43));
/// assert!("1763800000123-44".parse::<Cursor>()?.follows(place)); // nothing can be missing in between
/// assert!("1763800000123-9".parse::<Cursor>()? < place); // by number, not as text
/// # Ok::<(), shared::CursorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// Birth time of the log in unix milliseconds.
    pub epoch: u64,
    /// Number of the event within the log, from 1; 0 is the place before the first.
    pub seq: u64,
}

impl Cursor {
    /// The place in a log that has no events yet.
    pub const EMPTY: Self = Self { epoch: 0, seq: 0 };

    /// Whether `self` directly follows `earlier`, so that nothing can be missing between them.
    ///
    /// The first event of a log follows any place with `seq` 0: the log was empty then, and not born yet.
    #[must_use]
    pub fn follows(self, earlier: Self) -> bool {
        if earlier.seq == 0 {
            self.seq == 1
        } else {
            self.epoch == earlier.epoch && earlier.seq.checked_add(1) == Some(self.seq)
        }
    }

    /// The place directly before this event, [`Cursor::EMPTY`]-like (`seq` 0) for the first one.
    #[must_use]
    pub fn before(self) -> Self {
        Self { epoch: self.epoch, seq: self.seq.saturating_sub(1) }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let number = |part: &str| {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(CursorError);
            }
            part.parse().map_err(|_| CursorError)
        };
        let (epoch, seq) = text.split_once('-').ok_or(CursorError)?;
        Ok(Self { epoch: number(epoch)?, seq: number(seq)? })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Cursor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cursor".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{1,20}-[0-9]{1,20}$",
            "description": "A place in a company's log, <epoch>-<seq>. Opaque to clients."
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn malformed_cursors_are_refused() {
        for bad in ["", "-", "1", "1-", "-1", "+1-2", "1-2-3", "1-x", " 1-2", "1-2 ", "18446744073709551616-0", "١-٢"]
        {
            assert_eq!(bad.parse::<Cursor>(), Err(CursorError), "{bad}");
        }
    }

    #[test]
    fn only_neighbours_follow_each_other() {
        let at = |epoch, seq| Cursor { epoch, seq };
        assert!(at(7, 2).follows(at(7, 1)));
        assert!(at(7, 1).follows(Cursor::EMPTY));
        assert!(at(7, 1).follows(at(7, 0)));
        assert!(at(7, 1).follows(at(6, 0)));
        assert!(!at(7, 2).follows(Cursor::EMPTY));
        assert!(!at(7, 3).follows(at(7, 1)));
        assert!(!at(7, 1).follows(at(7, 1)));
        assert!(!at(8, 1).follows(at(7, 1)));
        assert!(!at(7, 0).follows(at(7, u64::MAX)));
    }

    proptest! {
        #[test]
        fn text_round_trips(epoch: u64, seq: u64) {
            let cursor = Cursor { epoch, seq };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn order_is_epoch_then_seq(a: (u64, u64), b: (u64, u64)) {
            let cursor = |(epoch, seq)| Cursor { epoch, seq };
            prop_assert_eq!(cursor(a).cmp(&cursor(b)), a.cmp(&b));
        }
    }
}
