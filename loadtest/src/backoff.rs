//! How long to wait before the next attempt: full jitter under a bound that doubles.

use std::time::Duration;

use crate::defaults::BACKOFF;

/// The state of one series of attempts.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It went well: the next failure starts from the beginning.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after one more failure, at least `at_least` where the other side asked for one.
    pub(crate) fn next(&mut self, at_least: Option<Duration>) -> Duration {
        let bound = self.bound();
        self.failures = self.failures.saturating_add(1);
        at_least.unwrap_or_default() + bound.mul_f64(rand::random::<f64>())
    }

    fn bound(&self) -> Duration {
        let (first, cap) = BACKOFF;
        first.saturating_mul(1 << self.failures.min(16)).min(cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_cap_and_start_over() {
        let mut backoff = Backoff::default();
        let mut bounds = Vec::new();
        for _ in 0..8 {
            bounds.push(backoff.bound().as_millis());
            let bound = backoff.bound();
            assert!(backoff.next(None) <= bound);
        }
        assert_eq!(bounds, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        backoff.reset();
        assert!(backoff.next(Some(Duration::from_secs(9))) >= Duration::from_secs(9));
    }
}
