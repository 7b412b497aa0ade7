//! The connection of a link that listens: to plain channels, or in a cluster to shard channels.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use redis::{
    AsyncConnectionConfig, Client, RedisResult,
    aio::{PubSubSink, PubSubStream},
};
use shared::{CompanyId, keys};

use super::{
    hearing::Hearing,
    sharded::{Changes, Sharded},
    within,
};
use crate::defaults::SUBSCRIBE_CHUNK;

pub(super) enum Subscriber {
    Plain(PubSubSink),
    Sharded(Sharded),
}

/// Ends with the connection; meanwhile what is heard goes its way.
pub(super) type Listening = BoxFuture<'static, ()>;

impl Subscriber {
    pub(super) async fn plain(client: &Client, hearing: Hearing) -> RedisResult<(Self, Listening)> {
        let (sink, stream) = client.get_async_pubsub().await?.split();
        Ok((Self::Plain(sink), listen(stream, hearing).boxed()))
    }

    pub(super) async fn sharded(
        client: &Client,
        config: &AsyncConnectionConfig,
        hearing: Hearing,
    ) -> RedisResult<(Self, Listening)> {
        let (sharded, closed) = Sharded::open(client, config, hearing).await?;
        Ok((Self::Sharded(sharded), closed))
    }

    /// Companies that the server has ended the subscription of; never any where it does not do that.
    pub(super) fn changes(&self) -> Arc<Changes> {
        match self {
            Self::Plain(_) => Arc::default(),
            Self::Sharded(sharded) => sharded.changes(),
        }
    }

    /// Listens to a channel that is not a company's.
    pub(super) async fn listen_to(&mut self, channel: &str) -> Result<(), String> {
        match self {
            Self::Plain(sink) => within("SUBSCRIBE", sink.subscribe(channel)).await,
            Self::Sharded(sharded) => sharded.listen_to(channel).await,
        }
    }

    /// Leaves one shard channel that is not a company's for another.
    pub(super) async fn change_shard_channel(
        &mut self,
        left: Option<String>,
        come_to: Option<String>,
    ) -> Result<(), String> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Sharded(sharded) => sharded.change_channel(left, come_to).await,
        }
    }

    /// Listens to companies, of which there are at most [`SUBSCRIBE_CHUNK`]; gives those that are heard then.
    pub(super) async fn subscribe(&mut self, companies: &[CompanyId]) -> Result<Vec<CompanyId>, String> {
        match self {
            Self::Plain(sink) => {
                within("SUBSCRIBE", sink.subscribe(channels(companies))).await?;
                Ok(companies.to_vec())
            }
            Self::Sharded(sharded) => sharded.subscribe(companies).await,
        }
    }

    pub(super) async fn unsubscribe(&mut self, companies: &[CompanyId]) -> Result<(), String> {
        for chunk in companies.chunks(SUBSCRIBE_CHUNK) {
            match self {
                Self::Plain(sink) => within("UNSUBSCRIBE", sink.unsubscribe(channels(chunk))).await?,
                Self::Sharded(sharded) => sharded.unsubscribe(chunk).await?,
            }
        }
        Ok(())
    }
}

fn channels(companies: &[CompanyId]) -> Vec<String> {
    companies.iter().map(keys::channel).collect()
}

/// Passes announcements on until the connection ends.
async fn listen(mut stream: PubSubStream, hearing: Hearing) {
    while let Some(message) = stream.next().await {
        hearing.take(message.get_channel_name(), message.get_payload_bytes());
    }
}
