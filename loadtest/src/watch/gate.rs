//! Judges ids: whether each event follows the one before. The promise is one of each, in order, without a hole.

use shared::{Cursor, Resume};

/// What an event's id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It follows.
    Next,
    /// So many are missing before it, at least one.
    Hole(u64),
    /// It is not newer than what was seen: a double, or out of order.
    Double,
}

/// Where a follower stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    position: Option<Cursor>,
    filtered: bool,
    /// Events that were not there.
    pub(super) holes: u64,
    /// Events that came again.
    pub(super) doubles: u64,
}

impl Gate {
    /// A gate that stands after `position`; of a `filtered` view holes are a part.
    pub(super) fn new(position: Option<Cursor>, filtered: bool) -> Self {
        Self { position, filtered, holes: 0, doubles: 0 }
    }

    /// The cursor to resume from.
    pub(super) fn position(&self) -> Option<Cursor> {
        self.position
    }

    /// What the gateway said of our cursor. `false` when it claims to have resumed at a place that is not ours.
    pub(super) fn welcome(&mut self, resume: Resume, at: Cursor) -> bool {
        match (resume, self.position) {
            (Resume::Recovered, Some(ours)) if ours == at => true,
            (Resume::Recovered, _) => false,
            (Resume::Fresh | Resume::Lost, _) => {
                self.position = Some(at);
                true
            }
        }
    }

    /// The gateway admits that something may be missing and says where it goes on.
    pub(super) fn resync(&mut self, at: Cursor) {
        self.position = Some(at);
    }

    /// An event came.
    pub(super) fn event(&mut self, id: Cursor) -> Verdict {
        let verdict = match self.position {
            None => Verdict::Next,
            Some(position) if id.follows(position) => Verdict::Next,
            Some(position) if id <= position => Verdict::Double,
            Some(_) if self.filtered => Verdict::Next,
            Some(position) if id.epoch == position.epoch => Verdict::Hole(id.seq - position.seq - 1),
            // A new log without a resync: what the old one still held is gone unsaid.
            Some(_) => Verdict::Hole(id.seq.max(1)),
        };
        match verdict {
            Verdict::Next => {}
            Verdict::Hole(missing) => self.holes += missing,
            Verdict::Double => {
                self.doubles += 1;
                return verdict;
            }
        }
        self.position = Some(id);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: u64) -> Cursor {
        Cursor { epoch: 7, seq }
    }

    #[test]
    fn holes_and_doubles_are_seen_and_counted() {
        let mut gate = Gate::new(None, false);
        assert!(gate.welcome(Resume::Fresh, at(4)));
        assert_eq!(gate.event(at(5)), Verdict::Next);
        assert_eq!(gate.event(at(5)), Verdict::Double);
        assert_eq!(gate.event(at(9)), Verdict::Hole(3));
        assert_eq!(gate.event(at(6)), Verdict::Double);
        assert_eq!(gate.event(at(10)), Verdict::Next);
        assert_eq!((gate.holes, gate.doubles, gate.position()), (3, 2, Some(at(10))));
    }

    #[test]
    fn a_loss_that_is_said_is_no_hole() {
        let mut gate = Gate::new(Some(at(4)), false);
        assert!(gate.welcome(Resume::Lost, Cursor { epoch: 9, seq: 2 }));
        assert_eq!(gate.event(Cursor { epoch: 9, seq: 3 }), Verdict::Next);
        gate.resync(Cursor { epoch: 11, seq: 0 });
        assert_eq!(gate.event(Cursor { epoch: 11, seq: 1 }), Verdict::Next);
        assert_eq!(gate.event(Cursor { epoch: 12, seq: 1 }), Verdict::Hole(1));
    }

    #[test]
    fn a_recovery_must_be_at_our_place() {
        let mut gate = Gate::new(Some(at(4)), false);
        assert!(gate.welcome(Resume::Recovered, at(4)));
        assert!(!gate.welcome(Resume::Recovered, at(6)));
        assert_eq!(gate.position(), Some(at(4)));
    }

    #[test]
    fn the_first_event_of_an_empty_log_follows() {
        let mut gate = Gate::new(None, false);
        gate.welcome(Resume::Fresh, Cursor::EMPTY);
        assert_eq!(gate.event(at(1)), Verdict::Next);
    }

    #[test]
    fn a_filtered_view_has_holes_by_nature_but_no_doubles() {
        let mut gate = Gate::new(Some(at(4)), true);
        assert_eq!(gate.event(at(9)), Verdict::Next);
        assert_eq!(gate.event(at(9)), Verdict::Double);
    }
}
