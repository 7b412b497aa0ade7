//! Cutting somebody off on every gateway.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deadpool_redis::redis::{self, RedisResult, aio::MultiplexedConnection};
use shared::{Revocation, Target, keys, slot};
use tracing::{Instrument, debug_span, field};

use crate::{PublishError, Publisher, defaults, publisher::Request};

/// `revoke.lua`, which keeps and announces a revocation.
pub(crate) struct RevokeScript(redis::Script);

impl RevokeScript {
    pub(crate) fn new() -> Self {
        Self(redis::Script::new(include_str!("revoke.lua")))
    }
}

struct Revoke<'a> {
    script: &'a RevokeScript,
    revocation: &'a Revocation,
}

impl Request for Revoke<'_> {
    type Answer = ();

    fn slot(&self) -> u16 {
        slot(keys::REVOCATIONS)
    }

    async fn run(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let text = serde_json::to_string(self.revocation).map_err(std::io::Error::other)?;
        let mut call = self.script.0.key(keys::REVOCATIONS);
        call.arg(keys::REVOCATIONS).arg(text).arg(self.revocation.until).arg(defaults::MAX_REVOCATIONS);
        call.invoke_async(connection).await
    }
}

impl Publisher {
    /// Cuts off whoever has tokens like these, on every gateway, within a second; and has them refused for `lasts`, which
    /// is to be as long as the longest of them may live.
    ///
    /// Tokens that were issued later (`iat`, by more than five seconds) are let in. When it returns, Redis has it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use publisher::{PublishError, Publisher, shared::{CompanyId, Target, UserId}};
    /// # async fn example(publisher: Publisher, acme: CompanyId, anna: UserId) -> Result<(), PublishError> {
    /// publisher.revoke(Target::user(&acme, &anna), Duration::from_secs(24 * 3600)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`], of a revocation instead of an event. Revoking twice does no harm.
    pub async fn revoke(&self, target: Target, lasts: Duration) -> Result<Revocation, PublishError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let revocation = Revocation::new(target, now, lasts);
        self.keep_revocation(&revocation).await?;
        Ok(revocation)
    }

    /// Keeps and announces a revocation that exists already. Given again it changes nothing.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn keep_revocation(&self, revocation: &Revocation) -> Result<(), PublishError> {
        let span = debug_span!("revoke", retries = field::Empty);
        self.until_done(&Revoke { script: &self.0.revoke, revocation }, self.deadline()).instrument(span).await
    }
}
