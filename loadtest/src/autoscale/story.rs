//! What happens, in the cluster's time: a morning, a peak at which Prometheus fails, a release, an evening. Pure.

use std::time::Duration;

use serde::Serialize;

/// A part of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Phase {
    /// Clients come.
    Up,
    /// They are all there; the fleet settles.
    Peak,
    /// Prometheus is gone.
    Blind,
    /// It is back.
    Seeing,
    /// Every replica is replaced.
    Roll,
    /// Nothing happens.
    Rest,
    /// Clients go.
    Down,
    /// The few stay, and replicas go.
    Low,
    /// It is over.
    Done,
}

/// What a phase waits for, beside its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    /// The replicas are what they are to be.
    pub(super) settled: bool,
    /// No more replicas than the few clients need.
    pub(super) few: bool,
}

impl Phase {
    /// For people.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Up => "clients come",
            Self::Peak => "peak",
            Self::Blind => "Prometheus gone",
            Self::Seeing => "back",
            Self::Roll => "rolling restart",
            Self::Rest => "rest",
            Self::Down => "clients go",
            Self::Low => "few clients",
            Self::Done => "",
        }
    }

    /// The phase after this one, when it is over.
    pub(super) fn next(self, lasted: Duration, sight: Sight) -> Option<Self> {
        let minutes = |count: u64| lasted >= Duration::from_secs(60 * count);
        match self {
            Self::Up => minutes(UP).then_some(Self::Peak),
            Self::Peak => (minutes(3) && sight.settled).then_some(Self::Blind),
            // Longer than the lookback of a query and the fallback's patience together.
            Self::Blind => minutes(10).then_some(Self::Seeing),
            Self::Seeing => minutes(1).then_some(Self::Roll),
            Self::Roll => (minutes(1) && sight.settled).then_some(Self::Rest),
            Self::Rest => minutes(2).then_some(Self::Down),
            Self::Down => minutes(DOWN).then_some(Self::Low),
            Self::Low => ((minutes(2) && sight.settled && sight.few) || minutes(30)).then_some(Self::Done),
            Self::Done => None,
        }
    }

    /// Clients that there are to be, of `most` at the peak and `least` at the end.
    pub(super) fn clients(self, lasted: Duration, most: usize, least: usize) -> usize {
        let share = |minutes: u64| (lasted.as_secs_f64() / (60 * minutes) as f64).min(1.0);
        match self {
            Self::Up => part(most, share(UP)),
            Self::Peak | Self::Blind | Self::Seeing | Self::Roll | Self::Rest => most,
            Self::Down => most - part(most - least, share(DOWN)),
            Self::Low | Self::Done => least,
        }
    }
}

/// Minutes in which they come.
const UP: u64 = 10;
/// Minutes in which they go.
const DOWN: u64 = 6;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a count")]
fn part(count: usize, share: f64) -> usize {
    (count as f64 * share) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_stay_and_go_without_a_jump() {
        let (mut phase, mut lasted, mut before) = (Phase::Up, Duration::ZERO, 0);
        let sight = Sight { settled: true, few: true };
        let mut seen = vec![phase];
        while phase != Phase::Done {
            let now = phase.clients(lasted, 12_000, 3_000);
            assert!(now.abs_diff(before) <= 30, "{phase:?} {lasted:?}: {before} to {now}");
            before = now;
            lasted += Duration::from_secs(1);
            if let Some(next) = phase.next(lasted, sight) {
                (phase, lasted) = (next, Duration::ZERO);
                seen.push(phase);
            }
        }
        assert_eq!((seen.len(), before), (9, 3_000));
    }

    #[test]
    fn a_rollout_is_over_when_everything_is_replaced() {
        let sight = |settled| Sight { settled, few: false };
        let hour = Duration::from_secs(3600);
        assert_eq!(Phase::Roll.next(hour, sight(false)), None);
        assert_eq!(Phase::Roll.next(hour, sight(true)), Some(Phase::Rest));
    }
}
