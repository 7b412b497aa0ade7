//! The story's chance. Drawn from ChaCha8 by its `u64`s alone, so that a seed tells the same story on every platform
//! and with every version of `rand`.

use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};

/// A source of repeatable decisions.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice that depend on these numbers and on nothing else.
    pub(super) fn new(numbers: [u64; 4]) -> Self {
        let mut seed = [0; 32];
        for (slot, number) in seed.chunks_exact_mut(8).zip(numbers) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        let drawn = (u128::from(self.0.next_u64()) * u128::from(span)) >> 64;
        low + u32::try_from(drawn).unwrap_or_default()
    }

    /// Whether something happens that does so in `percent` of the cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let last = u32::try_from(items.len()).unwrap_or(u32::MAX).saturating_sub(1);
        &items[self.between(0, last) as usize]
    }

    /// One of several texts.
    pub(super) fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.pick::<&'static str>(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a dependency changes its stream: stories would no longer repeat across versions.
    #[test]
    fn a_seed_is_a_promise() {
        let mut dice = Dice::new([1, 2, 3, 4]);
        let drawn: Vec<u32> = (0..8).map(|_| dice.between(0, 999)).collect();
        assert_eq!(drawn, [66, 345, 251, 272, 237, 192, 474, 715]);
    }

    #[test]
    fn bounds_are_included_and_kept() {
        let mut dice = Dice::new([0; 4]);
        let drawn: Vec<u32> = (0..200).map(|_| dice.between(3, 5)).collect();
        assert!((3..=5).all(|n| drawn.contains(&n)) && drawn.iter().all(|n| (3..=5).contains(n)));
        assert!(!dice.chance(0) && dice.chance(100));
    }
}
