//! What this replica counts itself. Pure.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::owner::{Owner, Subject};

/// One connection, or one that would like to be.
#[derive(Debug)]
pub(super) struct Ticket {
    number: u64,
    pub(super) owner: Owner,
    /// The other replicas are told of it: it was let in.
    counted: AtomicBool,
    returned: AtomicBool,
    excess: AtomicBool,
}

impl Ticket {
    pub(super) fn is_excess(&self) -> bool {
        self.excess.load(Ordering::Acquire)
    }

    pub(super) fn is_counted(&self) -> bool {
        self.counted.load(Ordering::Acquire)
    }
}

/// What one subject has here.
#[derive(Debug, Default)]
struct Held {
    /// Connections, and those that wait for an answer.
    taken: u32,
    /// Connections, as the other replicas are told.
    counted: u32,
}

/// Connections by company and user.
#[derive(Debug, Default)]
pub(super) struct Counts {
    held: HashMap<Subject, Held>,
    /// Counts that Redis may not know yet; `None` while nobody tells it.
    changed: Option<HashSet<Subject>>,
    /// Connections that the other replicas were not asked about, oldest first.
    doubtful: BTreeMap<u64, Arc<Ticket>>,
    next: u64,
}

impl Counts {
    /// Connections, and those that wait for an answer.
    pub(super) fn taken(&self, subject: &Subject) -> u32 {
        self.held.get(subject).map_or(0, |held| held.taken)
    }

    /// Connections, as the other replicas are told.
    pub(super) fn counted(&self, subject: &Subject) -> u32 {
        self.held.get(subject).map_or(0, |held| held.counted)
    }

    /// A place for somebody who is not let in yet.
    pub(super) fn take(&mut self, owner: Owner) -> Arc<Ticket> {
        for subject in owner.subjects() {
            self.held.entry(subject).or_default().taken += 1;
        }
        self.next += 1;
        Arc::new(Ticket {
            number: self.next,
            owner,
            counted: AtomicBool::new(false),
            returned: AtomicBool::new(false),
            excess: AtomicBool::new(false),
        })
    }

    /// Whoever has this ticket is let in, if it is still there.
    pub(super) fn count(&mut self, ticket: &Ticket) {
        if ticket.returned.load(Ordering::Acquire) || ticket.counted.swap(true, Ordering::AcqRel) {
            return;
        }
        for subject in ticket.owner.subjects() {
            if let Some(held) = self.held.get_mut(&subject) {
                held.counted += 1;
            }
        }
    }

    /// The ticket's owner has gone. Whether that is news for the others.
    pub(super) fn give_back(&mut self, ticket: &Ticket) -> bool {
        self.doubtful.remove(&ticket.number);
        if ticket.returned.swap(true, Ordering::AcqRel) {
            return false;
        }
        let counted = ticket.is_counted();
        for subject in ticket.owner.subjects() {
            if let Some(held) = self.held.get_mut(&subject) {
                held.taken -= 1;
                held.counted -= u32::from(counted);
                if held.taken == 0 {
                    self.held.remove(&subject);
                }
            }
            if counted {
                self.note(subject);
            }
        }
        if self.held.len() * 4 < self.held.capacity() {
            self.held.shrink_to_fit();
        }
        counted
    }

    fn note(&mut self, subject: Subject) {
        if let Some(changed) = &mut self.changed {
            changed.insert(subject);
        }
    }

    /// Whoever has this ticket was let in, and the other replicas are still to be asked.
    pub(super) fn doubt(&mut self, ticket: &Arc<Ticket>) {
        self.count(ticket);
        for subject in ticket.owner.subjects() {
            self.note(subject);
        }
        self.doubtful.insert(ticket.number, ticket.clone());
    }

    pub(super) fn has_doubts(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// The newest connection in doubt: who came last goes first.
    pub(super) fn newest_doubt(&self) -> Option<Arc<Ticket>> {
        self.doubtful.values().next_back().cloned()
    }

    /// There is room for the connection.
    pub(super) fn settle(&mut self, ticket: &Ticket) {
        self.doubtful.remove(&ticket.number);
    }

    /// The connection is one too many, and counts no more.
    pub(super) fn condemn(&mut self, ticket: &Ticket) {
        ticket.excess.store(true, Ordering::Release);
        self.give_back(ticket);
    }

    /// What was written to Redis for this subject; if it is not the count any more, it is to be written again.
    pub(super) fn compare(&mut self, subject: Subject, written: u32) {
        if self.counted(&subject) != written {
            self.note(subject);
        }
    }

    /// Up to `most` counts that Redis may not know.
    pub(super) fn take_changed(&mut self, most: usize) -> Vec<(Subject, u32)> {
        let Some(changed) = &mut self.changed else { return vec![] };
        let taken: Vec<Subject> = changed.iter().take(most).cloned().collect();
        for subject in &taken {
            changed.remove(subject);
        }
        if changed.len() * 4 < changed.capacity() {
            changed.shrink_to_fit();
        }
        taken.into_iter().map(|subject| (subject.clone(), self.counted(&subject))).collect()
    }

    /// From here on Redis is told, beginning with all counts.
    pub(super) fn begin_telling(&mut self) {
        self.changed = Some(self.held.keys().cloned().collect());
    }

    /// Redis is not told for the time being; afterwards it is told everything.
    pub(super) fn stop_telling(&mut self) {
        self.changed = None;
    }
}

#[cfg(test)]
mod tests {
    use shared::{CompanyId, UserId};

    use super::*;

    fn company() -> Subject {
        Subject::Company(CompanyId::parse("acme").unwrap())
    }

    fn anna() -> Owner {
        let company = CompanyId::parse("acme").unwrap();
        Owner { company, user: UserId::parse("anna").unwrap(), by_company: true, by_user: false }
    }

    fn connection(counts: &mut Counts) -> Arc<Ticket> {
        let ticket = counts.take(anna());
        counts.count(&ticket);
        ticket
    }

    fn both(counts: &Counts) -> (u32, u32) {
        (counts.taken(&company()), counts.counted(&company()))
    }

    #[test]
    fn a_place_is_given_back_once() {
        let mut counts = Counts::default();
        let (first, _second) = (connection(&mut counts), connection(&mut counts));
        assert!(counts.give_back(&first));
        assert!(!counts.give_back(&first));
        assert_eq!(both(&counts), (1, 1));
    }

    #[test]
    fn who_waits_for_an_answer_takes_a_place_and_is_not_told_of() {
        let mut counts = Counts::default();
        let (waiting, gone) = (counts.take(anna()), counts.take(anna()));
        assert_eq!(both(&counts), (2, 0));
        assert!(!counts.give_back(&gone), "nobody has heard of it");
        counts.count(&gone);
        counts.count(&waiting);
        counts.count(&waiting);
        assert_eq!(both(&counts), (1, 1));
    }

    #[test]
    fn who_is_condemned_counts_no_more() {
        let mut counts = Counts::default();
        let (first, second) = (connection(&mut counts), connection(&mut counts));
        counts.doubt(&first);
        counts.doubt(&second);
        let newest = counts.newest_doubt().unwrap();
        counts.condemn(&newest);
        assert!(second.is_excess() && !first.is_excess());
        assert!(!counts.give_back(&second), "its end is no news");
        assert_eq!(both(&counts), (1, 1));
        counts.settle(&first);
        assert!(!counts.has_doubts() && counts.give_back(&first));
        assert_eq!(both(&counts), (0, 0));
    }

    #[test]
    fn what_redis_does_not_know_is_written() {
        let mut counts = Counts::default();
        let ticket = connection(&mut counts);
        counts.compare(company(), 7);
        assert_eq!(counts.take_changed(10), [], "nobody tells it");
        counts.begin_telling();
        assert_eq!(counts.take_changed(10), [(company(), 1)]);
        counts.compare(company(), 1);
        assert_eq!(counts.take_changed(10), []);
        counts.compare(company(), 7);
        assert_eq!(counts.take_changed(10), [(company(), 1)]);
        counts.give_back(&ticket);
        assert_eq!(counts.take_changed(10), [(company(), 0)]);
        assert_eq!(counts.take_changed(10), []);
    }
}
