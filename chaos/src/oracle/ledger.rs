//! What publishers were told about each fact.

use std::collections::{HashMap, HashSet};

use shared::{CompanyId, Cursor};

/// Every fact of a run, by company.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    companies: HashMap<CompanyId, Book>,
    /// Redis has lost data, and with it perhaps which event ids it had stored.
    forgot: bool,
}

/// One company's facts.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Stored for sure, and where.
    pub(super) acknowledged: HashMap<u64, Cursor>,
    /// Sent, and nobody can say whether it was stored: no answer came, or the process died before it could.
    pub(super) open: HashSet<u64>,
    /// Not stored, the publisher was told.
    pub(super) refused: HashSet<u64>,
    /// Acknowledged, and then lost by Redis itself, noticed at this millisecond of the run.
    pub(super) gone: HashMap<u64, u64>,
    /// Where the log forked, and when: from here on numbers were given anew.
    pub(super) forks: Vec<(Cursor, u64)>,
    /// Acknowledged at two places.
    pub(super) moved: Vec<(u64, Cursor, Cursor)>,
}

impl Ledger {
    /// A fact is about to be sent.
    pub(crate) fn issue(&mut self, company: &CompanyId, fact: u64) {
        self.book(company).open.insert(fact);
    }

    /// A publisher was told where the fact is stored.
    pub(crate) fn acknowledge(&mut self, company: &CompanyId, fact: u64, at: Cursor) {
        let book = self.book(company);
        book.open.remove(&fact);
        if let Some(before) = book.acknowledged.insert(fact, at).filter(|before| *before != at) {
            book.moved.push((fact, before, at));
        }
    }

    /// A publisher was told that the fact is not stored.
    pub(crate) fn refuse(&mut self, company: &CompanyId, fact: u64) {
        let book = self.book(company);
        if book.open.remove(&fact) {
            book.refused.insert(fact);
        }
    }

    /// What is acknowledged up to now, as the first half of [`take_away`](Self::take_away).
    pub(crate) fn acknowledged(&self, company: &CompanyId) -> HashSet<u64> {
        self.of(company).map_or_else(HashSet::new, |book| book.acknowledged.keys().copied().collect())
    }

    /// The fault took the end of the log away: of what was acknowledged `before` the log was read, whatever lies behind
    /// its first event and is not `held` by it is gone, and its numbers are given anew.
    pub(crate) fn take_away(
        &mut self,
        company: &CompanyId,
        first: Cursor,
        before: &HashSet<u64>,
        held: &HashSet<u64>,
        at_ms: u64,
    ) -> usize {
        let book = self.book(company);
        let lost = |fact: &u64| {
            let at = book.acknowledged.get(fact).filter(|at| **at >= first)?;
            (!held.contains(fact) && !book.gone.contains_key(fact)).then_some((*at, *fact))
        };
        let gone: Vec<(Cursor, u64)> = before.iter().filter_map(lost).collect();
        book.forks.extend(gone.iter().min().map(|(at, _)| (*at, at_ms)));
        book.gone.extend(gone.iter().map(|(_, fact)| (*fact, at_ms)));
        gone.len()
    }

    /// A fault took data away from Redis. A publisher that tries again may find its event id unknown from now on, so that
    /// one fact stands in two logs.
    pub(crate) fn redis_forgot(&mut self) {
        self.forgot = true;
    }

    /// Whether one fact may rightly be at both places.
    pub(super) fn may_be_at_both(&self, one: Cursor, other: Cursor) -> bool {
        self.forgot && one.epoch != other.epoch
    }

    /// Facts by fate: acknowledged, open, refused.
    pub(crate) fn count(&self) -> (usize, usize, usize) {
        let sum = |part: fn(&Book) -> usize| self.companies.values().map(part).sum();
        (sum(|book| book.acknowledged.len()), sum(|book| book.open.len()), sum(|book| book.refused.len()))
    }

    pub(super) fn of(&self, company: &CompanyId) -> Option<&Book> {
        self.companies.get(company)
    }

    pub(super) fn companies(&self) -> impl Iterator<Item = (&CompanyId, &Book)> {
        self.companies.iter()
    }

    fn book(&mut self, company: &CompanyId) -> &mut Book {
        if !self.companies.contains_key(company) {
            self.companies.insert(company.clone(), Book::default());
        }
        self.companies.get_mut(company).expect("it was inserted if it was missing")
    }
}
