//! What the chaos publishers publish: an event that says whose it is, under a keyed digest.

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use shared::{CompanyId, Event, EventId};

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fact {
    /// The company that it was published for.
    pub(crate) company: CompanyId,
    /// The event id that it was published under.
    pub(crate) event: EventId,
    /// The fact's number, unique in the run, the same however often it is published.
    pub(crate) n: u64,
    /// Receivers report these: who has it has everything before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) marker: bool,
    /// HMAC-SHA256 over company, event id and number.
    pub(crate) digest: String,
    /// Ballast.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) pad: String,
}

impl Event for Fact {
    const TYPE: &'static str = "chaos:fact";
}

/// The run's key.
#[derive(Debug)]
pub(crate) struct Seal(hmac::Key);

impl Seal {
    /// The key of a run.
    pub(crate) fn of(seed: u64) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()))
    }

    /// A fact with its digest.
    pub(crate) fn fact(&self, company: &CompanyId, event: EventId, n: u64) -> Fact {
        let tag = hmac::sign(&self.0, message(company, &event, n).as_bytes());
        let digest = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Fact { company: company.clone(), event, n, marker: false, digest, pad: String::new() }
    }

    /// Whether the fact is one of this run and of the company that it names.
    pub(crate) fn is_on(&self, fact: &Fact) -> bool {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let tag: Option<Vec<u8>> = fact.digest.as_bytes().chunks(2).map(byte).collect();
        let message = message(&fact.company, &fact.event, fact.n);
        tag.is_some_and(|tag| hmac::verify(&self.0, message.as_bytes(), &tag).is_ok())
    }
}

/// None of the parts can hold a space.
fn message(company: &CompanyId, event: &EventId, n: u64) -> String {
    format!("{company} {event} {n}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_fact_breaks_the_seal() {
        let (a, b) = (CompanyId::parse("a").unwrap(), CompanyId::parse("b").unwrap());
        let seal = Seal::of(7);
        let fact = seal.fact(&a, EventId::parse("e1").unwrap(), 1);
        assert!(seal.is_on(&fact));
        assert!(!Seal::of(8).is_on(&fact));
        assert!(!seal.is_on(&Fact { company: b, ..fact.clone() }));
        assert!(!seal.is_on(&Fact { n: 2, ..fact.clone() }));
        assert!(!seal.is_on(&Fact { event: EventId::parse("e2").unwrap(), ..fact.clone() }));
        for digest in ["", "zz", "é", &fact.digest[2..]] {
            assert!(!seal.is_on(&Fact { digest: digest.into(), ..fact.clone() }), "{digest}");
        }
    }
}
