//! Names in Redis.
//!
//! A company's channel and keys share a cluster slot: the hash tag in the braces is the whole channel name.

use crate::{CompanyId, EventId};

/// Prefix of everything that the gateway keeps for itself.
pub const GATEWAY: &str = "gateway:";

/// The sorted set of revocations in force, each with its end as its score; and the channel that new ones are announced
/// on.
pub const REVOCATIONS: &str = "gateway:revocations";

/// What every company's channel name begins with.
pub const CHANNEL: &str = "company:";

/// The field of a log entry that holds the [`Record`](crate::Record).
pub const LOG_FIELD: &str = "d";

/// The field that says which data set the entry was written to: the start of Redis' replication id. A log whose newest
/// entry is of another one may have lost its end, and begins a new epoch.
pub const ORIGIN_FIELD: &str = "o";

/// The channel that a company's events are announced on.
///
/// ```
/// use shared::{CompanyId, keys, slot};
///
/// let acme = CompanyId::parse("acme")?;
/// assert_eq!(keys::channel(&acme), "company:acme");
/// assert_eq!(keys::log(&acme), "{company:acme}:log");
/// assert_eq!(slot(&keys::channel(&acme)), slot(&keys::log(&acme))); // one shard has both
/// # Ok::<(), shared::IdError>(())
/// ```
#[must_use]
pub fn channel(company: &CompanyId) -> String {
    format!("{CHANNEL}{company}")
}

/// The stream that holds a company's log.
#[must_use]
pub fn log(company: &CompanyId) -> String {
    format!("{{{CHANNEL}{company}}}:log")
}

/// The key that remembers the cursor of an event that was published already.
#[must_use]
pub fn idempotency(company: &CompanyId, event: &EventId) -> String {
    format!("{{{CHANNEL}{company}}}:idem:{event}")
}

/// The company that a channel belongs to; `None` for a channel that is not a company's.
#[must_use]
pub fn company_of_channel(channel: &str) -> Option<CompanyId> {
    CompanyId::parse(channel.strip_prefix(CHANNEL)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_documented() {
        let company = CompanyId::parse("acme").unwrap();
        assert_eq!(channel(&company), "company:acme");
        assert_eq!(log(&company), "{company:acme}:log");
        assert_eq!(idempotency(&company, &EventId::parse("e1").unwrap()), "{company:acme}:idem:e1");
        assert_eq!(company_of_channel("company:acme"), Some(company));
        for noise in ["company:", "company:a:x", "acme", "{company:acme}:log"] {
            assert_eq!(company_of_channel(noise), None, "{noise}");
        }
    }
}
