//! Which primary serves which slot of a cluster.

use std::collections::BTreeSet;

use super::Node;

/// Neighbouring slots of one primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) primary: Node,
}

/// Which primary serves which slot, as it was known at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// In the order of the slots.
    ranges: Vec<Range>,
}

impl Topology {
    pub(crate) fn new(mut ranges: Vec<Range>) -> Self {
        ranges.sort_by_key(|range| range.first);
        Self { ranges }
    }

    /// The primary that serves a slot; `None` while nobody does.
    #[must_use]
    pub fn primary(&self, slot: u16) -> Option<&Node> {
        let place = self.ranges.partition_point(|range| range.last < slot);
        self.ranges.get(place).filter(|range| range.first <= slot).map(|range| &range.primary)
    }

    /// Every primary that serves a slot, once.
    #[must_use]
    pub fn primaries(&self) -> BTreeSet<&Node> {
        self.ranges.iter().map(|range| &range.primary).collect()
    }

    /// The same, but a slot is known to have moved.
    pub(crate) fn with_moved(&self, slot: u16, to: Node) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 2);
        for range in &self.ranges {
            if slot < range.first || slot > range.last {
                ranges.push(range.clone());
                continue;
            }
            if range.first < slot {
                ranges.push(Range { last: slot - 1, ..range.clone() });
            }
            if slot < range.last {
                ranges.push(Range { first: slot + 1, ..range.clone() });
            }
        }
        ranges.push(Range { first: slot, last: slot, primary: to });
        Self::new(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: &str) -> Node {
        Node { host: host.into(), port: 1 }
    }

    fn range(first: u16, last: u16, host: &str) -> Range {
        Range { first, last, primary: node(host) }
    }

    #[test]
    fn a_slot_has_the_primary_of_its_range_or_none() {
        let topology = Topology::new(vec![range(10, 20, "b"), range(0, 5, "a"), range(21, 21, "a")]);
        let hosts = [0, 5, 6, 9, 10, 20, 21, 22, 16_383].map(|slot| topology.primary(slot).map(|node| &*node.host));
        assert_eq!(hosts, [Some("a"), Some("a"), None, None, Some("b"), Some("b"), Some("a"), None, None]);
        assert_eq!(topology.primaries().len(), 2);
    }

    #[test]
    fn a_slot_that_moved_takes_nothing_with_it() {
        let before = Topology::new(vec![range(0, 9, "a"), range(10, 10, "b")]);
        for slot in [0, 4, 9, 10, 11] {
            let after = before.with_moved(slot, node("c"));
            for other in 0..12 {
                let expected = if other == slot { Some(node("c")) } else { before.primary(other).cloned() };
                assert_eq!(after.primary(other).cloned(), expected, "{other} after {slot} moved");
            }
        }
    }
}
