//! Asking the sentinels.

use std::{collections::HashMap, io, sync::Arc};

use deadpool_redis::redis::{Client, ConnectionAddr, ConnectionInfo, RedisError, RedisResult, pipe};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{sleep, timeout};

use super::{client, connection_config};
use crate::defaults;

/// The sentinels of a master.
#[derive(Clone)]
pub(super) struct Sentinels {
    pub(super) sentinels: Arc<[Client]>,
    /// The name that they know the master by.
    pub(super) name: String,
    /// How to talk to the master, whatever its address.
    pub(super) server: ConnectionInfo,
}

/// What one of them says.
struct Answer {
    master: ConnectionAddr,
    /// Counts the failovers; the sentinels themselves settle by it whose configuration is the newer one.
    epoch: u64,
}

impl Sentinels {
    /// The master as whoever answers knows it, a majority if possible.
    pub(super) async fn locate(&self) -> RedisResult<Client> {
        let master = newest(self.ask().await?).swap_remove(0);
        client(self.server.clone().set_addr(master))
    }

    /// The master as a majority knows it. One sentinel may write its address differently from another.
    pub(super) async fn agree(&self) -> RedisResult<Vec<ConnectionAddr>> {
        let answers = self.ask().await?;
        if answers.len() < self.majority() {
            return Err(io::Error::other("too few sentinels answered").into());
        }
        Ok(newest(answers))
    }

    fn majority(&self) -> usize {
        self.sentinels.len() / 2 + 1
    }

    /// Asks all at once. The answers of a majority are enough; after a while, so is any.
    ///
    /// # Errors
    /// When there is no answer at all.
    async fn ask(&self) -> RedisResult<Vec<Answer>> {
        let mut asked: FuturesUnordered<_> = self.sentinels.iter().map(|one| ask(one, &self.name)).collect();
        let mut patience = std::pin::pin!(sleep(defaults::SENTINEL_PATIENCE));
        let (mut answers, mut failure) = (Vec::new(), None::<RedisError>);
        while answers.len() < self.majority() {
            tokio::select! {
                answer = asked.next() => match answer {
                    Some(Ok(answer)) => answers.push(answer),
                    // A refusal is for good only when all refuse: one who cannot be reached may know better.
                    Some(Err(error)) => if failure.as_ref().is_none_or(|first| !first.is_io_error()) {
                        failure = Some(error);
                    },
                    None => break,
                },
                () = &mut patience, if !answers.is_empty() => break,
            }
        }
        match failure {
            Some(failure) if answers.is_empty() => {
                Err(RedisError::from((failure.kind(), "no sentinel knows the master", failure.to_string())))
            }
            _ => Ok(answers),
        }
    }
}

async fn ask(sentinel: &Client, name: &str) -> RedisResult<Answer> {
    let question = async {
        let mut connection = sentinel.get_multiplexed_async_connection_with_config(&connection_config()).await?;
        // The first tells of a promotion earlier than the second, which alone tells the epoch.
        let (master, state): (Option<(String, u16)>, HashMap<String, String>) = pipe()
            .cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(name)
            .cmd("SENTINEL")
            .arg("MASTER")
            .arg(name)
            .query_async(&mut connection)
            .await?;
        let (host, port) = master.ok_or_else(|| io::Error::other("the master has gone"))?;
        let epoch = state.get("config-epoch").and_then(|epoch| epoch.parse().ok()).unwrap_or(0);
        Ok(Answer { master: ConnectionAddr::Tcp(host, port), epoch })
    };
    let late = |_| RedisError::from(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
    timeout(defaults::SENTINEL_TIMEOUT, question).await.map_err(late)?
}

/// Who the newest of these configurations says is the master. There is at least one answer.
fn newest(answers: Vec<Answer>) -> Vec<ConnectionAddr> {
    let newest = answers.iter().map(|answer| answer.epoch).max();
    answers.into_iter().filter(|answer| Some(answer.epoch) == newest).map(|answer| answer.master).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_configuration_is_believed_in_every_spelling() {
        let answer = |host: &str, epoch| Answer { master: ConnectionAddr::Tcp(host.into(), 1), epoch };
        let hosts = |answers| newest(answers).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(hosts(vec![answer("old", 0)]), ["old:1"]);
        assert_eq!(hosts(vec![answer("old", 9), answer("new", 10), answer("old", 9)]), ["new:1"]);
        assert_eq!(hosts(vec![answer("new", 3), answer("10.0.0.1", 3), answer("old", 1)]), ["new:1", "10.0.0.1:1"]);
    }
}
