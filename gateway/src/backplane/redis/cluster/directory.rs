use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use publisher::{Node, Topology};
use redis::aio::MultiplexedConnection;
use tokio::sync::{Notify, watch};

/// Which connection asks whom, for readers of logs and whoever else has something in the cluster.
#[derive(Default)]
pub(in crate::backplane::redis) struct Directory {
    pages: RwLock<Pages>,
    pub(super) doubted: Notify,
}

#[derive(Default)]
struct Pages {
    topology: Topology,
    commands: HashMap<Node, watch::Receiver<Option<MultiplexedConnection>>>,
}

impl Directory {
    /// The connection to whoever serves a slot, while that link is up.
    pub(in crate::backplane::redis) fn of(&self, slot: u16) -> Option<MultiplexedConnection> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        pages.commands.get(pages.topology.primary(slot)?)?.borrow().clone()
    }

    /// It led to somebody who did not have what was asked for, perhaps.
    pub(in crate::backplane::redis) fn doubt(&self) {
        self.doubted.notify_one();
    }

    pub(super) fn replace(
        &self,
        topology: Topology,
        commands: HashMap<Node, watch::Receiver<Option<MultiplexedConnection>>>,
    ) {
        *self.pages.write().unwrap_or_else(PoisonError::into_inner) = Pages { topology, commands };
    }
}
