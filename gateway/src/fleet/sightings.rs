use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use super::{Load, Report};
use crate::defaults::{FLEET_FORGET, FLEET_LEASE};

/// What this replica has seen of the others. A report is fresh when its beat was seen to go up within the lease, by this
/// replica's own clock; one that was never seen to go up may have been left by the dead.
#[derive(Debug, Default)]
pub struct Sightings(HashMap<String, Sighting>);

#[derive(Debug)]
struct Sighting {
    report: Report,
    /// When this beat was first seen.
    since: Instant,
    /// It was seen to go up.
    alive: bool,
}

/// The others, as far as they are known.
#[derive(Debug, Default, PartialEq)]
pub struct Picture {
    /// Those whose reports are fresh.
    pub others: Vec<Load>,
    /// There is nobody of whom it is not known yet whether they live.
    pub is_complete: bool,
}

impl Sightings {
    /// Takes in the reports that are there `now`, without the own one.
    pub fn look(&mut self, reports: &[(String, String)], now: Instant) -> Picture {
        let present: HashSet<&String> = reports.iter().map(|(replica, _)| replica).collect();
        self.0.retain(|replica, _| present.contains(replica));
        for (replica, text) in reports {
            let Some(report) = Report::parse(text) else { continue };
            match self.0.get_mut(replica) {
                Some(seen) if seen.report.beat == report.beat => {}
                Some(seen) => *seen = Sighting { report, since: now, alive: true },
                None => {
                    self.0.insert(replica.clone(), Sighting { report, since: now, alive: false });
                }
            }
        }
        let recent = |seen: &&Sighting| now.duration_since(seen.since) < FLEET_LEASE;
        let (alive, unproven): (Vec<_>, Vec<_>) = self.0.values().filter(recent).partition(|seen| seen.alive);
        Picture { others: alive.iter().map(|seen| seen.report.load).collect(), is_complete: unproven.is_empty() }
    }

    /// Replicas whose reports nobody renews any more.
    #[must_use]
    pub fn dead(&self, now: Instant) -> Vec<String> {
        let dead = |seen: &Sighting| now.duration_since(seen.since) >= FLEET_FORGET;
        self.0.iter().filter(|(_, seen)| dead(seen)).map(|(replica, _)| replica.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fleet::Door;

    fn report(replica: &str, beat: u64) -> (String, String) {
        let load = Load { connections: beat, moving: 0, limit: 100, door: Door::Open };
        (replica.to_owned(), Report { beat, load }.encode())
    }

    #[test]
    fn only_a_beat_that_goes_up_is_a_sign_of_life() {
        let (start, mut sightings) = (Instant::now(), Sightings::default());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut seen = |seconds: u64, beats: &[(&str, u64)]| {
            let reports: Vec<_> = beats.iter().map(|(replica, beat)| report(replica, *beat)).collect();
            let picture = sightings.look(&reports, at(seconds));
            (picture.others.len(), picture.is_complete, sightings.dead(at(seconds)))
        };
        assert_eq!(seen(0, &[]), (0, true, vec![]), "alone");
        assert_eq!(seen(2, &[("a", 7)]), (0, false, vec![]), "it may be dead");
        assert_eq!(seen(4, &[("a", 8)]), (1, true, vec![]), "it lives");
        assert_eq!(seen(6, &[("a", 9), ("ghost", 3)]), (1, false, vec![]));
        assert_eq!(seen(12, &[("a", 12), ("ghost", 3)]), (1, true, vec![]), "the ghost is one");
        assert_eq!(seen(18, &[("a", 12), ("ghost", 3)]), (0, true, vec![]), "an old report is none");
        assert_eq!(seen(20, &[("a", 13)]), (1, true, vec![]), "it is back");
        assert_eq!(seen(26, &[("a", 2)]), (1, true, vec![]), "another beat is a sign, whichever");
        assert_eq!(seen(86, &[("a", 2)]), (0, true, vec!["a".to_owned()]));
    }

    #[test]
    fn what_is_not_understood_is_nobody() {
        let picture = Sightings::default().look(&[("a".into(), "2 of a later release".into())], Instant::now());
        assert_eq!(picture, Picture { others: vec![], is_complete: true });
    }
}
