use std::{collections::HashSet, sync::Arc};

use publisher::{Endpoint, Node};
use redis::{RedisResult, aio::MultiplexedConnection};
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
};

use super::super::{
    ledger::Ledger,
    link::Link,
    outlet::{LinkId, Outlet, Report},
};
use crate::{
    backplane::{Interests, SignalSender},
    metrics::Metrics,
};

/// What every link is made with.
pub(super) struct Makings {
    pub(super) cluster: publisher::Cluster,
    pub(super) signals: SignalSender,
    pub(super) reports: mpsc::Sender<(LinkId, Report)>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) metrics: Arc<Metrics>,
}

/// A link, as its keeper sees it. It ends when this is dropped.
pub(super) struct Shard {
    pub(super) id: LinkId,
    /// What metrics call it.
    pub(super) number: usize,
    pub(super) interests: Arc<Interests>,
    pub(super) commands: watch::Receiver<Option<MultiplexedConnection>>,
    pub(super) state: State,
    /// How often the state has changed.
    pub(super) turns: u64,
    /// It was not there at the start: it serves what another did.
    pub(super) is_heir: bool,
    metrics: Arc<Metrics>,
    task: AbortHandle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has not been up yet, and has not failed.
    Opening,
    Up,
    Down,
}

impl Shard {
    pub(super) fn open(makings: &Makings, node: &Node, id: LinkId, number: usize, is_heir: bool) -> RedisResult<Self> {
        let (sender, commands) = watch::channel(None);
        let interests = Arc::new(Interests::default());
        let link = Link {
            endpoint: Endpoint::server(makings.cluster.client(node)?),
            is_shard: true,
            shard: number,
            outlet: Outlet { signals: makings.signals.clone(), keeper: Some((id, makings.reports.clone())) },
            commands: sender,
            interests: interests.clone(),
            ledger: makings.ledger.clone(),
            metrics: makings.metrics.clone(),
            wanted: HashSet::new(),
        };
        let task = tokio::spawn(link.run()).abort_handle();
        let (state, metrics) = (State::Opening, makings.metrics.clone());
        Ok(Self { id, number, interests, commands, state, turns: 0, is_heir, metrics, task })
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.task.abort();
        self.metrics.shards.end(self.number);
    }
}
