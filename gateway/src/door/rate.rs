//! Rates, smoothed: what is saved up while nobody comes is bounded, and afterwards one follows the other evenly.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use shared::{Claims, CompanyClaim, UserId};

use crate::defaults::{MAX_PUBLISH_BATCH, PUBLISHER_SWEEP};

/// How many per second, everybody together.
pub(super) struct Rate(Option<DefaultDirectRateLimiter>);

impl Rate {
    /// So many per second, 0 for any number; what may come at once is what comes in `burst`, at least one.
    pub(super) fn per_second(number: u32, burst: Duration) -> Self {
        Self(NonZeroU32::new(number).map(|number| {
            let at_once = (f64::from(number.get()) * burst.as_secs_f64()) as u32;
            RateLimiter::direct(
                Quota::per_second(number).allow_burst(NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN)),
            )
        }))
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long until there is one.
    pub(super) fn take(&self) -> Result<(), Duration> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check().map_err(|not_yet| not_yet.wait_time_from(DefaultClock::default().now()))
    }
}

/// How many events per second each publisher may publish. A token that is renewed is still the same publisher's.
pub struct PublishRate {
    limiter: Option<DefaultKeyedRateLimiter<(UserId, CompanyClaim)>>,
    asked: AtomicU32,
}

impl PublishRate {
    /// So many per second, 0 for any number. A second's worth may come at once, and always a full batch.
    #[must_use]
    pub fn per_second(number: u32) -> Self {
        let batch = NonZeroU32::new(MAX_PUBLISH_BATCH as u32).unwrap_or(NonZeroU32::MIN);
        let limiter = NonZeroU32::new(number)
            .map(|number| RateLimiter::keyed(Quota::per_second(number).allow_burst(number.max(batch))));
        Self { limiter, asked: AtomicU32::new(0) }
    }

    /// Takes as many as there are events.
    ///
    /// # Errors
    /// How long until there are so many.
    pub fn take(&self, claims: &Claims, events: usize) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let Some(events) = u32::try_from(events).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        // Publishers that have been quiet are forgotten, so that memory is for those who are not.
        if self.asked.fetch_add(1, Ordering::Relaxed) % PUBLISHER_SWEEP == PUBLISHER_SWEEP - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        match limiter.check_key_n(&(claims.sub.clone(), claims.company_id.clone()), events) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_yet)) => Err(not_yet.wait_time_from(DefaultClock::default().now())),
            // More than a batch has is refused before.
            Err(_) => Err(Duration::from_secs(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher(name: &str) -> Claims {
        serde_json::from_value(serde_json::json!({ "sub": name, "companyId": "*", "exp": 1 })).unwrap()
    }

    #[test]
    fn none_is_no_limit() {
        let rate = Rate::per_second(0, Duration::ZERO);
        assert!((0..10_000).all(|_| rate.take().is_ok()));
        let rate = PublishRate::per_second(0);
        assert!((0..10_000).all(|_| rate.take(&publisher("a"), 100).is_ok()));
    }

    #[test]
    fn a_full_batch_always_fits_and_publishers_do_not_share() {
        let rate = PublishRate::per_second(1);
        rate.take(&publisher("a"), 100).unwrap();
        let wait = rate.take(&publisher("a"), 100).unwrap_err();
        assert!((90..=100).contains(&wait.as_secs()), "{wait:?}");
        rate.take(&publisher("b"), 100).unwrap();
    }

    #[test]
    fn quiet_publishers_are_forgotten() {
        let rate = PublishRate::per_second(u32::MAX);
        for number in 0..10 * PUBLISHER_SWEEP {
            rate.take(&publisher(&number.to_string()), 1).unwrap();
        }
        let kept = rate.limiter.as_ref().unwrap().len();
        assert!(kept <= PUBLISHER_SWEEP as usize, "{kept}");
    }
}
