use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use publisher::{Node, Topology};
use redis::aio::MultiplexedConnection;
use tokio::sync::{Notify, watch};

use super::super::Permits;

/// A server's commands, while its link is up, and how many may be under way.
type Desk = (watch::Receiver<Option<MultiplexedConnection>>, Arc<Permits>);

/// Which connection asks whom, for readers of logs and whoever else has something in the cluster.
#[derive(Default)]
pub(in crate::backplane::redis) struct Directory {
    pages: RwLock<Pages>,
    pub(super) doubted: Notify,
}

#[derive(Default)]
struct Pages {
    topology: Topology,
    desks: HashMap<Node, Desk>,
}

impl Directory {
    /// The connection to whoever serves a slot, while that link is up.
    pub(in crate::backplane::redis) fn of(&self, slot: u16) -> Option<MultiplexedConnection> {
        self.pages().desk(slot)?.0.borrow().clone()
    }

    /// How many may read there at once; of a slot that nobody serves, nobody waits.
    pub(in crate::backplane::redis) fn permits(&self, slot: u16) -> Arc<Permits> {
        self.pages().desk(slot).map(|(_, permits)| permits.clone()).unwrap_or_default()
    }

    fn pages(&self) -> RwLockReadGuard<'_, Pages> {
        self.pages.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// It led to somebody who did not have what was asked for, perhaps.
    pub(in crate::backplane::redis) fn doubt(&self) {
        self.doubted.notify_one();
    }

    /// Takes a new topology. Whoever reads from a server that stays goes on to count there.
    pub(super) fn replace(
        &self,
        topology: Topology,
        commands: HashMap<Node, watch::Receiver<Option<MultiplexedConnection>>>,
    ) {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        let desk = |(node, commands): (Node, _)| {
            let permits = pages.desks.get(&node).map(|(_, permits)| permits.clone()).unwrap_or_default();
            (node, (commands, permits))
        };
        let desks = commands.into_iter().map(desk).collect();
        *pages = Pages { topology, desks };
    }
}

impl Pages {
    fn desk(&self, slot: u16) -> Option<&Desk> {
        self.desks.get(self.topology.primary(slot)?)
    }
}
