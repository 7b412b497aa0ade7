//! Holds the receivers' logs against the ledger.

use std::collections::HashMap;

use shared::Cursor;

use super::{Finding, Ledger, Log, Step, Verdict, ledger::Book};

/// Judges a run that has come to rest: every receiver was given the time to catch up.
pub(crate) fn check<'a>(ledger: &Ledger, logs: impl IntoIterator<Item = &'a Log>) -> Verdict {
    let mut verdict = Verdict::default();
    for (company, book) in ledger.companies() {
        for (fact, _, at) in book.moved.iter().filter(|(_, before, at)| !ledger.may_be_at_both(*before, *at)) {
            verdict.find(Finding::Twice, format!("fact {fact} of {company} was acknowledged again, at {at}"));
        }
    }
    let nothing = Book::default();
    for log in logs {
        let book = ledger.of(&log.company).unwrap_or(&nothing);
        let before = verdict.findings.len();
        let reader = Reader { log, ledger, book, seen: HashMap::new(), last_jump: None, spans: vec![] };
        reader.read(&mut verdict);
        if verdict.findings.len() > before {
            verdict.suspects.insert(log.name.clone());
        }
    }
    verdict
}

/// Goes through one log.
struct Reader<'a> {
    log: &'a Log,
    ledger: &'a Ledger,
    book: &'a Book,
    seen: HashMap<u64, Cursor>,
    last_jump: Option<u64>,
    spans: Vec<Span>,
}

/// A stretch that the receiver vouches for.
#[derive(Clone, Copy)]
struct Span {
    /// After this place.
    from: Cursor,
    /// Up to this one.
    to: Cursor,
    /// Millisecond of the run at which it began.
    since: u64,
}

impl Reader<'_> {
    fn read(mut self, verdict: &mut Verdict) {
        let mut span: Option<Span> = None;
        for step in &self.log.steps {
            match step {
                Step::Start(at) => self.spans.extend(span.replace(Span { from: *at, to: *at, since: 0 })),
                Step::Jump { to, at_ms, .. } => {
                    verdict.jumps += 1;
                    self.last_jump = Some(*at_ms);
                    // The place before a log that is still empty lies behind everything that logs before it held.
                    let stood_at = span.map_or(Cursor::EMPTY, |span| span.to);
                    let unborn = Cursor { epoch: stood_at.epoch + 1, seq: 0 };
                    let from = if *to == Cursor::EMPTY { unborn } else { *to };
                    self.spans.extend(span.replace(Span { from, to: *to, since: *at_ms }));
                }
                Step::Event { at, fact } => {
                    verdict.applied += 1;
                    match &mut span {
                        Some(span) => {
                            self.order(span.to, *at, verdict);
                            if span.to == Cursor::EMPTY {
                                span.from = at.before();
                            }
                            span.to = *at;
                        }
                        None => verdict.find(Finding::Disorder, self.say(*at, *fact, "came before the start")),
                    }
                    self.identity(*at, *fact, verdict);
                }
                Step::Resume { brought, at } if brought != at => {
                    let what = format!("{}: resumed at {at}, but it stood at {brought}", self.log.name);
                    verdict.find(Finding::Disorder, what);
                }
                Step::Resume { .. } => {}
                Step::Foreign(what) => verdict.find(Finding::Foreign, format!("{}: {what}", self.log.name)),
            }
        }
        // The last stretch goes on to the end of the run.
        self.spans.extend(span.map(|span| Span { to: Cursor { epoch: u64::MAX, seq: u64::MAX }, ..span }));
        self.completeness(verdict);
        verdict.wire_duplicates += self.log.wire_duplicates;
    }

    fn order(&self, last: Cursor, at: Cursor, verdict: &mut Verdict) {
        if at <= last {
            verdict.find(Finding::Disorder, format!("{}: {at} came after {last}", self.log.name));
        } else if !at.follows(last) {
            verdict.find(Finding::Disorder, format!("{}: a hole between {last} and {at}", self.log.name));
        }
    }

    /// Whether the event is one that may be here, once.
    fn identity(&mut self, at: Cursor, fact: u64, verdict: &mut Verdict) {
        match self.seen.insert(fact, at) {
            // It was told of the loss in between, else the order is wrong.
            Some(before) if self.ledger.may_be_at_both(before, at) => verdict.repeated += 1,
            Some(_) => verdict.find(Finding::Twice, self.say(at, fact, "was applied before")),
            None => {}
        }
        match self.book.acknowledged.get(&fact) {
            Some(place) if *place == at || self.ledger.may_be_at_both(*place, at) => {}
            Some(place) => {
                verdict.find(Finding::Twice, self.say(at, fact, &format!("was acknowledged at {place}")));
            }
            None if self.book.open.contains(&fact) => {}
            None if self.book.refused.contains(&fact) => {
                verdict.find(
                    Finding::Phantom,
                    self.say(at, fact, "was refused: the publisher heard that it is not stored"),
                );
            }
            None => verdict.find(Finding::Phantom, self.say(at, fact, "was never published")),
        }
    }

    /// Whether everything is here that is owed.
    fn completeness(&self, verdict: &mut Verdict) {
        let Some(first) = self.spans.first().map(|span| span.from) else { return };
        for (fact, at) in &self.book.acknowledged {
            if self.seen.contains_key(fact) {
                continue;
            }
            match self.book.gone.get(fact) {
                Some(gone) if self.last_jump.is_none_or(|jump| jump < *gone) => verdict.untold += 1,
                None if self.is_owed(*at) => verdict.find(Finding::Lost, self.say(*at, *fact, "never came")),
                _ => verdict.excused += u64::from(*at > first),
            }
        }
    }

    /// A place behind a fork of the log is owed by those who vouch for the log as it was after the fork.
    fn is_owed(&self, at: Cursor) -> bool {
        let forked = |(fork, _): &&(Cursor, u64)| fork.epoch == at.epoch && *fork <= at;
        let since = self.book.forks.iter().filter(forked).map(|(_, when)| *when).max().unwrap_or(0);
        let last = self.spans.len() - 1;
        let owes =
            |(number, span): (usize, &Span)| at > span.from && at <= span.to && (number == last || span.since >= since);
        self.spans.iter().enumerate().any(owes)
    }

    fn say(&self, at: Cursor, fact: u64, what: &str) -> String {
        format!("{}: fact {fact} at {at} {what}", self.log.name)
    }
}
