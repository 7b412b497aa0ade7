//! Sharded pub/sub over one connection.
//!
//! The driver pairs each confirmation with the oldest request that waits, also one that nobody asked for: Redis ends a
//! subscription by itself when the slot moves. So no answer is believed here. Confirmations are pushes that name their
//! channel, and what the pushes say is what counts; the answers only tell that there is nothing more to wait for.
//! Each command names one channel, so that it has one answer, and channels of several slots may be asked for at once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use redis::{
    AsyncConnectionConfig, Client, Msg, Pipeline, ProtocolVersion, PushInfo, PushKind, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};
use shared::{CompanyId, keys};
use tokio::sync::Notify;
use tracing::debug;

use super::{hearing::Hearing, within};
use crate::backplane::Interests;

/// Companies whose subscription has ended, by whomever.
pub(super) type Changes = Interests;

pub(super) struct Sharded {
    connection: MultiplexedConnection,
    heard: Arc<Heard>,
}

/// What the pushes say.
struct Heard {
    hearing: Hearing,
    subscribed: Mutex<HashSet<CompanyId>>,
    changes: Arc<Changes>,
    closed: Notify,
}

impl Sharded {
    /// Opens one; the future ends with the connection.
    pub(super) async fn open(
        client: &Client,
        config: &AsyncConnectionConfig,
        hearing: Hearing,
    ) -> RedisResult<(Self, BoxFuture<'static, ()>)> {
        let heard =
            Arc::new(Heard { hearing, subscribed: Mutex::default(), changes: Arc::default(), closed: Notify::new() });
        let ears = heard.clone();
        let config = config.clone().set_push_sender(move |push| {
            ears.take(push);
            Ok::<_, ()>(())
        });
        let connection = by_resp3(client)?.get_multiplexed_async_connection_with_config(&config).await?;
        let closed = heard.clone();
        Ok((Self { connection, heard }, async move { closed.closed.notified().await }.boxed()))
    }

    pub(super) fn changes(&self) -> Arc<Changes> {
        self.heard.changes.clone()
    }

    pub(super) async fn listen_to(&mut self, channel: &str) -> Result<(), String> {
        let mut command = Pipeline::new();
        command.cmd("SUBSCRIBE").arg(channel);
        self.send("SUBSCRIBE", &command).await
    }

    /// One that cannot be heard here is missed by who listens.
    pub(super) async fn change_channel(&mut self, left: Option<String>, come_to: Option<String>) -> Result<(), String> {
        let mut commands = Pipeline::new();
        for (name, channel) in [("SUNSUBSCRIBE", left), ("SSUBSCRIBE", come_to)] {
            if let Some(channel) = channel {
                commands.cmd(name).arg(channel);
            }
        }
        answered(self.send("SSUBSCRIBE", &commands).await)
    }

    /// Gives those that are heard from now on.
    pub(super) async fn subscribe(&mut self, companies: &[CompanyId]) -> Result<Vec<CompanyId>, String> {
        answered(self.send("SSUBSCRIBE", &commands("SSUBSCRIBE", companies)).await)?;
        let subscribed = self.heard.subscribed();
        Ok(companies.iter().filter(|company| subscribed.contains(*company)).cloned().collect())
    }

    pub(super) async fn unsubscribe(&mut self, companies: &[CompanyId]) -> Result<(), String> {
        answered(self.send("SUNSUBSCRIBE", &commands("SUNSUBSCRIBE", companies)).await)
    }

    async fn send(&mut self, what: &str, commands: &Pipeline) -> Result<(), String> {
        let answers = within(what, self.connection.req_packed_commands(commands, 0, commands.len())).await?;
        let refusal = answers.into_iter().find_map(|answer| match answer {
            Value::ServerError(error) => Some(format!("{REFUSED}{what}: {error:?}")),
            _ => None,
        });
        refusal.map_or(Ok(()), Err)
    }
}

/// What the reason begins with when the server has answered, and the connection is good.
const REFUSED: &str = "refused ";

/// A refusal is none of the connection's failures: the slot is another's, or nobody's at the moment.
fn answered(outcome: Result<(), String>) -> Result<(), String> {
    outcome.or_else(|reason| match reason.starts_with(REFUSED) {
        true => {
            debug!(reason, "not here");
            Ok(())
        }
        false => Err(reason),
    })
}

fn commands(name: &str, companies: &[CompanyId]) -> Pipeline {
    let mut commands = Pipeline::with_capacity(companies.len());
    for company in companies {
        commands.cmd(name).arg(keys::channel(company));
    }
    commands
}

/// Shard channels are confirmed by pushes that only the newer protocol has.
fn by_resp3(client: &Client) -> RedisResult<Client> {
    let server = client.get_connection_info();
    let settings = server.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(server.clone().set_redis_settings(settings))
}

impl Heard {
    fn take(&self, push: PushInfo) {
        match push.kind {
            PushKind::Message | PushKind::SMessage => {
                if let Some(message) = Msg::from_push_info(push) {
                    self.hearing.take(message.get_channel_name(), message.get_payload_bytes());
                }
            }
            PushKind::SSubscribe => {
                if let Some(company) = company(&push.data) {
                    self.subscribed().insert(company);
                }
            }
            PushKind::SUnsubscribe => {
                if let Some(company) = company(&push.data) {
                    self.subscribed().remove(&company);
                    self.changes.set(company, false);
                }
            }
            PushKind::Disconnection => self.closed.notify_one(),
            _ => {}
        }
    }

    fn subscribed(&self) -> MutexGuard<'_, HashSet<CompanyId>> {
        self.subscribed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose channel a confirmation names.
fn company(data: &[Value]) -> Option<CompanyId> {
    let Value::BulkString(channel) = data.first()? else { return None };
    keys::company_of_channel(std::str::from_utf8(channel).ok()?)
}
