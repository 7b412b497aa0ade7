//! Settings of a publisher.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    PublishError, Publisher, Tls, defaults, publisher::Inner, revoke::RevokeScript, script::PublishScript, ways::Ways,
};

/// Settings of a [`Publisher`]; the defaults suit an API service.
///
/// ```
/// use std::time::Duration;
/// use publisher::{PublishError, Publisher};
///
/// /// Somebody waits for the answer: two seconds are enough for a reconnect, and bearable.
/// fn publisher(url: &str) -> Result<Publisher, PublishError> {
///     Publisher::builder(url).deadline(Duration::from_secs(2)).max_events(5_000).build()
/// }
/// ```
#[derive(Clone)]
#[must_use = "nothing happens before `build`"]
pub struct PublisherBuilder {
    pub(crate) url: String,
    pub(crate) tls: Tls,
    pub(crate) max_events: u64,
    pub(crate) max_age: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) pool_size: usize,
}

impl PublisherBuilder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            tls: Tls::new(),
            max_events: defaults::MAX_EVENTS,
            max_age: defaults::MAX_AGE,
            connect_timeout: defaults::CONNECT_TIMEOUT,
            response_timeout: defaults::RESPONSE_TIMEOUT,
            deadline: defaults::DEADLINE,
            pool_size: defaults::POOL_SIZE,
        }
    }

    /// Certificates for a `rediss://` URL (default: the authorities of the system, and none of one's own).
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// How many events a company's log keeps: exactly the newest so many (default 1,000, at least 1). All publishers of a
    /// company should agree: each publish trims by its own.
    pub fn max_events(mut self, max_events: u64) -> Self {
        self.max_events = max_events;
        self
    }

    /// How long a company's log is kept after its last event (default 24 h; a second to ten years).
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// How long opening a connection may take (default 1 s).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an answer of Redis may take before the attempt counts as lost (default 1 s).
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long a publish may take with all its attempts (default 5 s).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many connections are held (default 2); each carries any number of publishes at once.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections;
        self
    }

    /// The publisher. Connects nothing yet: Redis need not be up.
    ///
    /// # Errors
    /// [`PublishError::Configuration`], when the URL or a setting makes no sense.
    pub fn build(self) -> Result<Publisher, PublishError> {
        let wrong = if self.max_events == 0 {
            Some("max_events is at least 1")
        } else if self.max_age < Duration::from_secs(1) || self.max_age > Duration::from_secs(3_650 * 24 * 3_600) {
            Some("max_age is a second to ten years")
        } else if self.pool_size == 0 {
            Some("pool_size is at least 1")
        } else if self.connect_timeout.is_zero() || self.response_timeout.is_zero() || self.deadline.is_zero() {
            Some("timeouts and deadline are longer than nothing")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return Err(PublishError::Configuration(wrong.to_owned()));
        }
        let ways = Ways::new(&self).map_err(PublishError::Configuration)?;
        let (script, revoke) = (PublishScript::new(&self, ways.announces_by()), RevokeScript::new());
        Ok(Publisher(Arc::new(Inner { ways, script, revoke, deadline: self.deadline })))
    }
}

impl fmt::Debug for PublisherBuilder {
    /// Without the URL: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublisherBuilder")
            .field("max_events", &self.max_events)
            .field("max_age", &self.max_age)
            .field("deadline", &self.deadline)
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_without_echoing_the_url() {
        let builder = || PublisherBuilder::new("redis://:hunter2@localhost");
        let wrong = [
            builder().max_events(0),
            builder().max_age(Duration::ZERO),
            builder().pool_size(0),
            builder().deadline(Duration::ZERO),
            PublisherBuilder::new("hunter2"),
            PublisherBuilder::new("http://:hunter2@localhost"),
            PublisherBuilder::new("redis://:hunter2@localhost/x"),
        ];
        for builder in wrong {
            let error = builder.clone().build().unwrap_err();
            assert!(matches!(error, PublishError::Configuration(_)), "{error}");
            assert!(!format!("{error} {error:?} {builder:?}").contains("hunter2"), "{error}");
        }
    }
}
