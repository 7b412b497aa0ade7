use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use publisher::{Node, Topology};
use redis::aio::MultiplexedConnection;
use shared::{CompanyId, keys, slot};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tracing::{debug, info, warn};

use super::{
    Directory,
    shard::{Makings, Shard, State},
};
use crate::{
    backplane::{
        Interests, Scope, Signal, SignalSender,
        redis::{
            ledger::Ledger,
            outlet::{LinkId, Report},
        },
    },
    defaults::{SHARD_REPORTS, TOPOLOGY_INTERVAL, TOPOLOGY_PAUSE},
    metrics::Metrics,
    quota,
};

/// Keeps the links to the shards.
pub(in crate::backplane::redis) struct Keeper {
    makings: Makings,
    interests: Arc<Interests>,
    directory: Arc<Directory>,
    /// The connection to whoever serves the quota's slot.
    quota: watch::Sender<Option<MultiplexedConnection>>,
    topology: Option<Topology>,
    links: HashMap<Node, Shard>,
    next_link: LinkId,
    /// Every company of interest, and which link is to hear it.
    wanted: HashMap<CompanyId, Option<LinkId>>,
    /// Those that their link does not hear.
    astray: HashSet<CompanyId>,
    looked: Instant,
    next_look: Instant,
    /// How soon a doubt makes it look again; longer, the more looks have not helped.
    pause: Duration,
    /// Whose connection the quota was given last.
    quota_link: Option<(LinkId, u64)>,
}

impl Keeper {
    /// Starts the links; no server need be there yet.
    pub(in crate::backplane::redis) fn start(
        cluster: publisher::Cluster,
        signals: SignalSender,
        interests: Arc<Interests>,
        ledger: Ledger,
        metrics: Arc<Metrics>,
    ) -> (Arc<Directory>, watch::Receiver<Option<MultiplexedConnection>>) {
        let directory = Arc::new(Directory::default());
        let (quota, commands) = watch::channel(None);
        let (reports, heard) = mpsc::channel(SHARD_REPORTS);
        let ledger = Arc::new(ledger);
        let keeper = Self {
            makings: Makings { cluster, signals, reports, ledger: ledger.clone(), metrics },
            interests,
            directory: directory.clone(),
            quota,
            topology: None,
            links: HashMap::new(),
            next_link: 0,
            wanted: HashMap::new(),
            astray: HashSet::new(),
            looked: Instant::now(),
            next_look: Instant::now(),
            pause: TOPOLOGY_PAUSE,
            quota_link: None,
        };
        tokio::spawn(keeper.run(heard));
        let revocations = directory.clone();
        tokio::spawn(async move { ledger.follow(|| revocations.of(slot(keys::REVOCATIONS))).await });
        (directory, commands)
    }

    async fn run(mut self, mut reports: mpsc::Receiver<(LinkId, Report)>) {
        let (interests, directory) = (self.interests.clone(), self.directory.clone());
        loop {
            tokio::select! {
                () = sleep_until(self.next_look) => self.look().await,
                Some((link, report)) = reports.recv() => self.report(link, report).await,
                wishes = interests.take() => {
                    for (company, wanted) in wishes {
                        if wanted { self.place(company).await } else { self.dismiss(&company) }
                    }
                }
                () = directory.doubted.notified() => self.doubt(),
            }
        }
    }

    /// Has a look at the topology soon.
    fn doubt(&mut self) {
        self.next_look = self.next_look.min(self.looked + self.pause);
    }

    async fn look(&mut self) {
        let known: Vec<Node> = self.links.keys().cloned().collect();
        let topology = self.makings.cluster.topology(&known).await;
        let regular = self.looked.elapsed() >= TOPOLOGY_INTERVAL;
        self.pause = if regular { TOPOLOGY_PAUSE } else { (self.pause * 2).min(TOPOLOGY_INTERVAL / 4) };
        self.looked = Instant::now();
        self.next_look = self.looked + TOPOLOGY_INTERVAL;
        match topology {
            Ok(topology) => self.follow(topology).await,
            Err(error) if self.topology.is_none() => {
                warn!(%error, "cannot reach the cluster");
                self.makings.signals.send(Signal::Down(Scope::All)).await;
                self.next_look = self.looked + TOPOLOGY_PAUSE * 5;
            }
            // The links say themselves how they are.
            Err(error) => debug!(%error, "the cluster does not say who serves what"),
        }
    }

    /// Opens and closes links, and moves companies.
    async fn follow(&mut self, topology: Topology) {
        let before = self.topology.replace(topology.clone());
        if before.as_ref() != Some(&topology) {
            let primaries = topology.primaries();
            self.links.retain(|node, _| primaries.contains(node));
            if primaries.iter().any(|node| !self.links.contains_key(*node)) {
                info!(shards = primaries.len(), "the cluster has other primaries than before");
            }
            for node in primaries {
                self.open(node, before.is_some());
            }
            let commands = self.links.iter().map(|(node, shard)| (node.clone(), shard.commands.clone())).collect();
            self.directory.replace(topology.clone(), commands);
        }
        let misplaced = |(company, link): (&CompanyId, &Option<LinkId>)| {
            (link.is_none() || *link != self.owner(company).map(|shard| shard.id) || self.astray.contains(company))
                .then(|| company.clone())
        };
        let misplaced: Vec<_> = self.wanted.iter().filter_map(misplaced).collect();
        self.astray.clear();
        for company in misplaced {
            self.place(company).await;
        }
        self.tell_quota();
    }

    fn open(&mut self, node: &Node, is_heir: bool) {
        if self.links.contains_key(node) {
            return;
        }
        let taken: HashSet<usize> = self.links.values().map(|shard| shard.number).collect();
        let number = (0..).find(|number| !taken.contains(number)).unwrap_or(usize::MAX);
        self.next_link += 1;
        match Shard::open(&self.makings, node, self.next_link, number, is_heir) {
            Ok(shard) => drop(self.links.insert(node.clone(), shard)),
            Err(error) => warn!(%error, "an address of the cluster cannot be used"),
        }
    }

    fn owner(&self, company: &CompanyId) -> Option<&Shard> {
        let primary = self.topology.as_ref()?.primary(slot(&keys::channel(company)))?;
        self.links.get(primary)
    }

    fn is_open(&self, link: Option<LinkId>) -> bool {
        self.links.values().any(|shard| Some(shard.id) == link)
    }

    /// Has a company heard by the link to whoever serves it now.
    async fn place(&mut self, company: CompanyId) {
        let owner = self.owner(&company).map(|shard| (shard.id, shard.state, shard.interests.clone()));
        let link = owner.as_ref().map(|(link, ..)| *link);
        if link.is_none() && self.wanted.get(&company).is_some_and(|heard_by| self.is_open(*heard_by)) {
            // Nobody knows better than that it is where it was.
            return;
        }
        let before = self.wanted.insert(company.clone(), link).flatten();
        if before != link
            && let Some(left) = before.and_then(|before| self.links.values().find(|shard| shard.id == before))
        {
            left.interests.set(company.clone(), false);
        }
        let deaf = match owner {
            Some((_, state, interests)) => {
                interests.set(company.clone(), true);
                state == State::Down
            }
            None => self.topology.is_some(),
        };
        if deaf {
            self.makings.signals.send(Signal::Down(Scope::Companies(vec![company]))).await;
        }
    }

    fn dismiss(&mut self, company: &CompanyId) {
        self.astray.remove(company);
        let link = self.wanted.remove(company).flatten();
        if let Some(shard) = link.and_then(|link| self.links.values().find(|shard| shard.id == link)) {
            shard.interests.set(company.clone(), false);
        }
    }

    async fn report(&mut self, link: LinkId, report: Report) {
        // One that was closed has nothing to say any more.
        let Some(shard) = self.links.values_mut().find(|shard| shard.id == link) else { return };
        let of_link = |company: &CompanyId| self.wanted.get(company) == Some(&Some(link));
        let companies = || self.wanted.keys().filter(|company| of_link(company)).cloned().collect();
        let signal = match report {
            Report::Up { .. } => {
                (shard.state, shard.turns) = (State::Up, shard.turns + 1);
                let moved = std::mem::take(&mut shard.is_heir);
                Signal::Up { moved, scope: Scope::Companies(companies()) }
            }
            Report::Down => {
                (shard.state, shard.turns) = (State::Down, shard.turns + 1);
                let signal = Signal::Down(Scope::Companies(companies()));
                self.doubt();
                signal
            }
            Report::Subscribed(heard) => Signal::Subscribed(heard.into_iter().filter(of_link).collect()),
            Report::Astray(companies) => {
                let astray: Vec<_> = companies.into_iter().filter(of_link).collect();
                self.astray.extend(astray);
                return self.doubt();
            }
        };
        self.makings.signals.send(signal).await;
        self.tell_quota();
    }

    /// Gives the quota the connection to whoever serves its slot.
    fn tell_quota(&mut self) {
        let primary = self.topology.as_ref().and_then(|topology| topology.primary(slot(quota::KEY)));
        let shard = primary.and_then(|primary| self.links.get(primary)).filter(|shard| shard.state == State::Up);
        let link = shard.map(|shard| (shard.id, shard.turns));
        if link != self.quota_link {
            self.quota_link = link;
            self.quota.send_replace(shard.and_then(|shard| shard.commands.borrow().clone()));
        }
    }
}
