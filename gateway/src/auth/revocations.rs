//! Who was cut off. Every replica holds all of it in memory, so that a token is checked at the cost of a few look-ups.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use shared::{CompanyId, Revocation, Target, TokenId, UserId};
use tokio::sync::watch;

use crate::{clock, defaults::TOKEN_LEEWAY};

/// The revocations in force, as far as this replica knows.
pub struct Revocations {
    entries: RwLock<HashMap<Target, Span>>,
    changes: watch::Sender<()>,
}

/// Tokens issued until `at` are refused until `until`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    at: u64,
    until: u64,
}

impl Span {
    /// Of two for the same target, both hold. Says whether that is news.
    fn extend(&mut self, at: u64, until: u64) -> bool {
        let both = Self { at: self.at.max(at), until: self.until.max(until) };
        std::mem::replace(self, both) != both
    }
}

impl Revocations {
    /// None yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { entries: RwLock::default(), changes: watch::Sender::new(()) })
    }

    /// Takes revocations in. Whoever watches is told if there are new ones.
    pub fn add(&self, revocations: impl IntoIterator<Item = Revocation>) {
        let now = clock::unix_seconds();
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let mut news = false;
        for Revocation { target, at, until } in revocations.into_iter().filter(|one| one.until > now) {
            news |= entries.entry(target).or_default().extend(at, until);
        }
        drop(entries);
        if news {
            self.changes.send_replace(());
        }
    }

    /// Whether a token that says this is refused. One that was issued after the revocation is a new one; without `iat`
    /// nobody can tell. Clocks may differ, so a token has to be clearly newer.
    #[must_use]
    pub fn refuse(&self, company: Option<&CompanyId>, user: &UserId, jti: Option<&TokenId>, iat: Option<u64>) -> bool {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if entries.is_empty() {
            return false;
        }
        let now = clock::unix_seconds();
        Target::of_token(company, user, jti).any(|target| {
            entries.get(&target).is_some_and(|span| {
                let meant = iat.is_none_or(|iat| iat <= span.at.saturating_add(TOKEN_LEEWAY.as_secs()));
                span.until > now && (meant || target.is_one_token())
            })
        })
    }

    /// Those in force that `known` does not hold.
    #[must_use]
    pub fn beyond(&self, known: &[Revocation]) -> Vec<Revocation> {
        let mut held: HashMap<&Target, Span> = HashMap::new();
        for Revocation { target, at, until } in known {
            held.entry(target).or_default().extend(*at, *until);
        }
        let now = clock::unix_seconds();
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let missing = entries.iter().filter(|(target, span)| span.until > now && held.get(target) != Some(span));
        missing.map(|(target, span)| Revocation { target: target.clone(), at: span.at, until: span.until }).collect()
    }

    /// Forgets those that have ended. Gives how many are in force.
    pub fn sweep(&self) -> usize {
        let now = clock::unix_seconds();
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, span| span.until > now);
        entries.len()
    }

    /// Changes whenever there are new ones.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company() -> CompanyId {
        CompanyId::parse("acme").unwrap()
    }

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    fn revocations(targets: impl IntoIterator<Item = Target>, at: u64, lasts: u64) -> Arc<Revocations> {
        let revocations = Revocations::new();
        revocations.add(targets.into_iter().map(|target| Revocation {
            target,
            at,
            until: clock::unix_seconds() + lasts,
        }));
        revocations
    }

    #[test]
    fn the_target_is_hit_and_nobody_else() {
        let (acme, anna) = (company(), user("anna"));
        let held = revocations([Target::user(&acme, &anna)], 100, 60);
        assert!(held.refuse(Some(&acme), &anna, None, None));
        assert!(!held.refuse(Some(&acme), &user("bruno"), None, None));
        assert!(!held.refuse(Some(&CompanyId::parse("other").unwrap()), &anna, None, None));
        assert!(!held.refuse(None, &anna, None, None), "a service of all companies is not a user of one");
        let whole = revocations([Target::company(&acme)], 100, 60);
        assert!(whole.refuse(Some(&acme), &user("bruno"), None, None));
    }

    #[test]
    fn who_signs_in_again_is_let_in_but_a_revoked_token_never() {
        let (acme, anna, jti) = (company(), user("anna"), TokenId::parse("t").unwrap());
        let held = revocations([Target::user(&acme, &anna)], 100, 60);
        for (iat, refused) in [(Some(1), true), (Some(105), true), (Some(106), false), (None, true)] {
            assert_eq!(held.refuse(Some(&acme), &anna, Some(&jti), iat), refused, "{iat:?}");
        }
        let held = revocations([Target::token(&jti)], 100, 60);
        assert!(held.refuse(Some(&acme), &anna, Some(&jti), Some(1_000)));
        assert!(!held.refuse(Some(&acme), &anna, None, Some(1)));
    }

    #[test]
    fn what_has_ended_is_forgotten_and_of_two_both_hold() {
        let (acme, anna) = (company(), user("anna"));
        let held = revocations([Target::user(&acme, &anna)], 100, 0);
        assert!(!held.refuse(Some(&acme), &anna, None, None));
        assert_eq!(held.sweep(), 0);
        let until = clock::unix_seconds() + 60;
        held.add([Revocation { target: Target::company(&acme), at: 200, until }]);
        held.add([Revocation { target: Target::company(&acme), at: 100, until: until + 60 }]);
        let both = Revocation { target: Target::company(&acme), at: 200, until: until + 60 };
        let all = [both.clone()];
        assert_eq!(held.beyond(&[]), all);
        assert_eq!(held.beyond(&[Revocation { at: 100, ..both }]), all);
        assert_eq!(held.beyond(&all), []);
        let [both] = &all;
        let halves = [Revocation { at: 1, ..both.clone() }, Revocation { until, ..both.clone() }];
        assert_eq!(held.beyond(&halves), [], "two that say together what is known are as good");
    }

    #[test]
    fn watchers_hear_of_news_alone() {
        let held = Revocations::new();
        let mut changes = held.changes();
        let revocation = Revocation { target: Target::company(&company()), at: 1, until: clock::unix_seconds() + 60 };
        held.add([revocation.clone()]);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        held.add([revocation]);
        assert!(!changes.has_changed().unwrap());
    }
}
