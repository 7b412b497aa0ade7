//! What can go wrong, one variant per thing that the caller could do differently.

use deadpool_redis::redis::{ErrorKind, RedisError, ServerErrorKind};
use shared::EnvelopeError;

/// Why publishing failed.
///
/// Of a batch, an error speaks for the event that it was met at; others may be stored. Give the same envelopes again:
/// those are then answered as duplicates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The URL or a setting makes no sense. **Not stored**; trying again does not help.
    #[error("publisher misconfigured: {0}")]
    Configuration(String),

    /// The event cannot be published: type, JSON or size. **Not stored**; trying again does not help.
    #[error(transparent)]
    Event(#[from] EnvelopeError),

    /// Redis refused for good: password, rights, a key of a wrong type, a script error. **Not stored**; trying again
    /// does not help until somebody has changed something.
    #[error("Redis refused the event: {0}")]
    Refused(#[source] RedisError),

    /// Redis takes no more data: out of memory, or it cannot persist; or there are as many revocations as may be. **Not
    /// stored**. Trying again later can help, so [`is_retryable`](Self::is_retryable) says yes; within seconds it hardly
    /// does, so the publisher itself did not.
    #[error("Redis takes no more data: {0}")]
    Full(#[source] RedisError),

    /// Until the deadline Redis could not be reached or said that it cannot work now. **Not stored**. Trying again
    /// later can help.
    #[error("Redis is unavailable: {0}")]
    Unavailable(#[source] RedisError),

    /// **Unknown whether stored**: the event was sent, the answer never came, and no later attempt until the deadline
    /// could find out. Publish it again *under the same event id* ([`publish_with_id`], or the same envelopes): it is
    /// stored once, whatever happened. Under a new id it may be there twice.
    ///
    /// [`publish_with_id`]: crate::Publisher::publish_with_id
    #[error("unknown whether the event is stored: {0}")]
    Unknown(#[source] RedisError),
}

impl PublishError {
    /// Whether publishing the same event again later, under the same event id, can succeed without anybody changing
    /// the event, the configuration or the rights.
    ///
    /// ```
    /// # use publisher::PublishError;
    /// fn what_to_do(error: &PublishError) -> &'static str {
    ///     match error {
    ///         PublishError::Unknown(_) => "again, under the same event id",
    ///         error if error.is_retryable() => "again, later",
    ///         _ => "call somebody",
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Full(_) | Self::Unavailable(_) | Self::Unknown(_) => true,
            Self::Configuration(_) | Self::Event(_) | Self::Refused(_) => false,
        }
    }
}

/// What an error of one attempt says about the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not executed, and the next attempt may be: retry.
    NotNow,
    /// Not executed here: another server of the cluster may, so retry. The connection is good.
    Elsewhere,
    /// Perhaps executed: retry, the event id tells.
    Unclear,
    /// Not executed, and not soon: give up with [`PublishError::Full`].
    Full,
    /// Not executed, and never: give up with [`PublishError::Refused`].
    Refused,
}

impl Verdict {
    /// Judges the answer to a request that was sent.
    pub(crate) fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::ResponseError) if busy_at_the_door(error) => Self::NotNow,
            ErrorKind::Server(kind) => match kind {
                ServerErrorKind::BusyLoading
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                // `redis::Script` has loaded it again by then: flushed twice in a row.
                | ServerErrorKind::NoScript => Self::NotNow,
                _ => Self::Refused,
            },
            ErrorKind::Extension => match error.code() {
                Some("BUSY" | "NOREPLICAS") => Self::NotNow,
                Some("OOM" | "MISCONF" | "FULL") => Self::Full,
                _ => Self::Refused,
            },
            ErrorKind::AuthenticationFailed if busy_at_the_door(error) => Self::NotNow,
            ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig | ErrorKind::RESP3NotSupported => {
                Self::Refused
            }
            // I/O, timeouts, and replies that make no sense: the request may have been executed.
            _ => Self::Unclear,
        }
    }

    /// Judges a failure to connect: nothing was sent, so nothing is unclear.
    pub(crate) fn of_connecting(error: &RedisError) -> Self {
        match Self::of(error) {
            Self::Unclear => Self::NotNow,
            verdict => verdict,
        }
    }

    /// Whether the connection that gave this answer may serve the next request.
    ///
    /// READONLY and its like come from a server that is not, or no longer, the one to write to: the name may lead
    /// somewhere else by now.
    pub(crate) fn spoils_connection(self) -> bool {
        matches!(self, Self::NotNow | Self::Unclear)
    }
}

fn busy_at_the_door(error: &RedisError) -> bool {
    error.to_string().contains("max number of clients")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_interrupted_answer_is_unclear_but_an_interrupted_connect_is_not() {
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::BrokenPipe, io::ErrorKind::UnexpectedEof] {
            let error = RedisError::from(io::Error::from(kind));
            assert_eq!(Verdict::of(&error), Verdict::Unclear);
            assert_eq!(Verdict::of_connecting(&error), Verdict::NotNow);
        }
    }

    #[test]
    fn a_wrong_password_is_refused_and_a_full_house_is_not() {
        let said = |text: &str| RedisError::from((ErrorKind::AuthenticationFailed, "auth", text.to_owned()));
        assert_eq!(Verdict::of_connecting(&said("WRONGPASS")), Verdict::Refused);
        assert_eq!(Verdict::of_connecting(&said("ERR max number of clients reached")), Verdict::NotNow);
    }

    #[test]
    fn errors_say_whether_trying_again_can_help() {
        let cause = || RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
        for error in [PublishError::Full(cause()), PublishError::Unavailable(cause()), PublishError::Unknown(cause())] {
            assert!(error.is_retryable(), "{error}");
        }
        for error in [PublishError::Refused(cause()), PublishError::Configuration("?".into())] {
            assert!(!error.is_retryable(), "{error}");
        }
    }
}
