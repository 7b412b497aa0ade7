//! Which lines a request takes: those of the one server, or in a cluster those of the primary that serves its slot.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use deadpool_redis::redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::time::Instant;
use tracing::debug;

use crate::{
    Endpoint, PublisherBuilder, defaults,
    endpoint::{Cluster, Node, Topology},
    error::Verdict,
    lines::Lines,
};

/// The lines of a publisher.
pub(crate) enum Ways {
    /// All to one server.
    One(Arc<Lines>),
    /// Some to each primary.
    Many(Arc<Routes>),
}

/// Lines to each primary of a cluster.
pub(crate) struct Routes {
    cluster: Cluster,
    settings: PublisherBuilder,
    state: Mutex<State>,
    /// One looks, the others wait for that if they have to.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    topology: Option<Topology>,
    lines: HashMap<Node, Arc<Lines>>,
    /// When somebody last began to look.
    looked: Option<Instant>,
    /// Something happened that a new topology may explain.
    doubted: bool,
}

impl Ways {
    /// Prepares the lines; connects nothing.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub(crate) fn new(settings: &PublisherBuilder) -> Result<Self, String> {
        let endpoint = Endpoint::with_tls(&settings.url, &settings.tls)?;
        Ok(match endpoint.cluster() {
            None => Self::One(Arc::new(Lines::new(endpoint, settings))),
            Some(cluster) => Self::Many(Arc::new(Routes {
                cluster: cluster.clone(),
                settings: settings.clone(),
                state: Mutex::default(),
                looking: tokio::sync::Mutex::default(),
            })),
        })
    }

    /// The command that announces an event.
    pub(crate) fn announces_by(&self) -> &'static str {
        match self {
            Self::One(_) => "PUBLISH",
            Self::Many(_) => "SPUBLISH",
        }
    }

    /// The lines to whoever serves a slot.
    ///
    /// # Errors
    /// When nobody is known to.
    pub(crate) async fn lines(&self, slot: u16) -> Result<Arc<Lines>, RedisError> {
        match self {
            Self::One(lines) => Ok(lines.clone()),
            Self::Many(routes) => routes.lines(slot).await,
        }
    }

    /// Judges the answer to a request, and learns from it where the next is to go.
    pub(crate) fn judge(&self, slot: u16, error: &RedisError) -> Verdict {
        match self {
            Self::One(_) => Verdict::of(error),
            Self::Many(routes) => routes.judge(slot, error),
        }
    }
}

impl Routes {
    async fn lines(self: &Arc<Self>, slot: u16) -> Result<Arc<Lines>, RedisError> {
        let (known, due) = {
            let state = self.state();
            (state.topology.is_some(), state.is_due())
        };
        if !known {
            // Boxed, for a publish should not have to carry what it needs once.
            Box::pin(self.look()).await?;
        } else if due {
            // Beside the publishes: those of other shards have nothing to wait for.
            let routes = self.clone();
            tokio::spawn(async move {
                if let Err(error) = routes.look().await {
                    debug!(%error, "the cluster does not say who serves what");
                }
            });
        }
        let mut state = self.state();
        let primary = state.topology.as_ref().and_then(|topology| topology.primary(slot)).cloned();
        let Some(primary) = primary else {
            state.doubted = true;
            return Err(io::Error::other("no server of the cluster serves this slot").into());
        };
        if let Some(lines) = state.lines.get(&primary) {
            return Ok(lines.clone());
        }
        let endpoint = Endpoint::server(self.cluster.client(&primary)?);
        let lines = Arc::new(Lines::new(endpoint, &self.settings));
        state.lines.insert(primary, lines.clone());
        Ok(lines)
    }

    fn judge(&self, slot: u16, error: &RedisError) -> Verdict {
        let ErrorKind::Server(kind) = error.kind() else {
            self.state().doubted |= error.is_io_error();
            return Verdict::of(error);
        };
        match kind {
            ServerErrorKind::Moved => {
                let to = error.redirect_node().and_then(|(address, _)| node(address));
                let mut state = self.state();
                // The others that moved with it are asked about.
                state.doubted = true;
                if let (Some(topology), Some(to)) = (&state.topology, to) {
                    state.topology = Some(topology.with_moved(slot, to));
                }
                Verdict::Elsewhere
            }
            // While a slot moves, its keys are at two places: the script is run when all are at one again.
            ServerErrorKind::Ask | ServerErrorKind::TryAgain => Verdict::Elsewhere,
            _ => {
                let verdict = Verdict::of(error);
                self.state().doubted |= verdict == Verdict::NotNow;
                verdict
            }
        }
    }

    async fn look(&self) -> Result<(), RedisError> {
        let asked = Instant::now();
        let _only = self.looking.lock().await;
        let known: Vec<Node> = {
            let mut state = self.state();
            // Somebody has looked while this one waited.
            if state.topology.is_some() && state.looked.is_some_and(|looked| looked >= asked) {
                return Ok(());
            }
            (state.looked, state.doubted) = (Some(Instant::now()), false);
            state.lines.keys().cloned().collect()
        };
        let topology = self.cluster.topology(&known).await?;
        let mut state = self.state();
        let primaries = topology.primaries();
        state.lines.retain(|node, _| primaries.contains(node));
        state.topology = Some(topology);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_due(&self) -> bool {
        let age = if self.doubted { defaults::TOPOLOGY_PAUSE } else { defaults::TOPOLOGY_AGE };
        self.looked.is_none_or(|looked| looked.elapsed() >= age)
    }
}

/// Reads `host:port`. An empty host is the one that said so; that needs a look at the topology.
fn node(address: &str) -> Option<Node> {
    let (host, port) = address.rsplit_once(':')?;
    let node = Node { host: host.trim_matches(['[', ']']).to_owned(), port: port.parse().ok()? };
    (!node.host.is_empty()).then_some(node)
}
