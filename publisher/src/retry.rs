//! When to try again: full jitter between nothing and a bound that doubles up to a cap, until the deadline.

use std::time::Duration;

use deadpool_redis::redis::RedisError;
use tokio::time::Instant;

use crate::{PublishError, defaults, error::Verdict};

/// One publish on its way through its attempts.
#[derive(Debug)]
pub(crate) struct Attempts {
    deadline: Instant,
    failed: u32,
    /// Some attempt was perhaps executed. No later refusal can take that back.
    unclear: bool,
}

impl Attempts {
    pub(crate) fn until(deadline: Instant) -> Self {
        Self { deadline, failed: 0, unclear: false }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Attempts that failed so far.
    pub(crate) fn failed(&self) -> u32 {
        self.failed
    }

    /// Takes note of a failed attempt; gives the pause before the next.
    ///
    /// # Errors
    /// When there is no sense or no time for another one.
    pub(crate) fn after(&mut self, verdict: Verdict, error: RedisError) -> Result<Duration, PublishError> {
        self.unclear |= verdict == Verdict::Unclear;
        let pause = rand::random_range(Duration::ZERO..=bound(self.failed));
        self.failed += 1;
        let again = matches!(verdict, Verdict::NotNow | Verdict::Elsewhere | Verdict::Unclear)
            && Instant::now() + pause < self.deadline;
        match verdict {
            _ if again => Ok(pause),
            _ if self.unclear => Err(PublishError::Unknown(error)),
            Verdict::NotNow | Verdict::Elsewhere | Verdict::Unclear => Err(PublishError::Unavailable(error)),
            Verdict::Full => Err(PublishError::Full(error)),
            Verdict::Refused => Err(PublishError::Refused(error)),
        }
    }
}

/// The longest pause after so many failures.
fn bound(failed: u32) -> Duration {
    defaults::BACKOFF_FIRST.saturating_mul(1 << failed.min(10)).min(defaults::BACKOFF_CAP)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn cause() -> RedisError {
        io::Error::from(io::ErrorKind::BrokenPipe).into()
    }

    #[test]
    fn pauses_double_up_to_the_cap() {
        assert_eq!(bound(0), defaults::BACKOFF_FIRST);
        assert_eq!(bound(1), defaults::BACKOFF_FIRST * 2);
        assert_eq!(bound(u32::MAX), defaults::BACKOFF_CAP);
    }

    #[test]
    fn after_the_deadline_an_attempt_that_was_not_executed_is_unavailable() {
        let error = Attempts::until(Instant::now()).after(Verdict::NotNow, cause());
        assert!(matches!(error, Err(PublishError::Unavailable(_))), "{error:?}");
    }

    #[test]
    fn once_unclear_a_refusal_does_not_make_it_clear() {
        let mut attempts = Attempts::until(Instant::now() + Duration::from_secs(60));
        assert!(attempts.after(Verdict::Unclear, cause()).is_ok());
        let error = attempts.after(Verdict::Refused, cause());
        assert!(matches!(error, Err(PublishError::Unknown(_))), "{error:?}");
    }

    #[test]
    fn refusals_are_not_retried() {
        let error = Attempts::until(Instant::now() + Duration::from_secs(60)).after(Verdict::Refused, cause());
        assert!(matches!(error, Err(PublishError::Refused(_))), "{error:?}");
    }
}
