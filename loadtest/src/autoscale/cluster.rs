//! What Kubernetes does with the Deployment: so many pods, a rollout by one more and none less, an end in order.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use super::balancer::Balancer;
use crate::{
    defaults::HTTP_TIMEOUT,
    measure::children::{Guard, exchange, free_address, spawn},
};

/// A place for a replica: always the same ports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) public: SocketAddr,
    pub(super) admin: SocketAddr,
}

impl Slot {
    pub(super) fn free() -> anyhow::Result<Self> {
        Ok(Self { public: free_address()?, admin: free_address()? })
    }
}

/// How a pod lives and ends, in real time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) pre_stop: Duration,
    pub(super) min_ready: Duration,
    pub(super) grace: Duration,
}

/// Where a replica is in its life.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Starting,
    /// Since then.
    Ready(Instant),
    /// Nobody new comes; it is told to end then.
    PreStop(Instant),
    /// Told to end; killed then.
    Ending(Instant),
}

/// A gateway process.
struct Replica {
    slot: usize,
    revision: u32,
    child: Guard,
    state: State,
}

/// All replicas, and how many there are to be.
pub(super) struct Cluster {
    program: PathBuf,
    settings: BTreeMap<String, String>,
    pace: Pace,
    slots: Vec<Slot>,
    balancers: Vec<Balancer>,
    replicas: Vec<Replica>,
    revision: u32,
    client: reqwest::Client,
    /// `spec.replicas`.
    pub(super) wanted: u32,
    /// What should not have happened.
    pub(super) mishaps: Vec<String>,
}

impl Cluster {
    pub(super) fn new(
        program: PathBuf,
        settings: BTreeMap<String, String>,
        pace: Pace,
        (slots, balancers): (Vec<Slot>, Vec<Balancer>),
        wanted: u32,
    ) -> anyhow::Result<Self> {
        // A connection for each question: the replicas come and go.
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(HTTP_TIMEOUT).build()?;
        Ok(Self {
            program,
            settings,
            pace,
            slots,
            balancers,
            replicas: vec![],
            revision: 1,
            client,
            wanted,
            mishaps: vec![],
        })
    }

    /// Replaces every replica, one after the other.
    pub(super) fn roll(&mut self) {
        self.revision += 1;
    }

    /// Whether there are as many as there are to be, all ready, of the newest revision, and none is leaving.
    pub(super) fn is_settled(&self) -> bool {
        self.replicas.len() == self.wanted as usize
            && self
                .replicas
                .iter()
                .all(|replica| matches!(replica.state, State::Ready(_)) && replica.revision == self.revision)
    }

    /// Replicas that take clients.
    pub(super) fn ready(&self) -> usize {
        self.replicas.iter().filter(|replica| matches!(replica.state, State::Ready(_))).count()
    }

    /// The replicas that have a process, by name, with their admin listeners.
    pub(super) fn pods(&self) -> Vec<(String, SocketAddr)> {
        self.replicas.iter().map(|replica| (replica.name(), self.slots[replica.slot].admin)).collect()
    }

    /// Connections of each replica by its place: active, and draining. Those that do not answer are left out.
    pub(super) async fn connections(&self) -> Vec<(usize, (u64, u64))> {
        let mut all = vec![];
        for replica in &self.replicas {
            let url = format!("http://{}/metrics", self.slots[replica.slot].admin);
            let Ok(response) = self.client.get(url).send().await else { continue };
            let Ok(text) = response.text().await else { continue };
            let count = |state: &str| -> u64 {
                let series = format!("gateway_connections{{state=\"{state}\"}} ");
                text.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap_or(0)
            };
            all.push((replica.slot, (count("active"), count("draining"))));
        }
        all
    }

    /// Takes the next step towards what there is to be; whether the pods are others now.
    pub(super) async fn reconcile(&mut self) -> anyhow::Result<bool> {
        let before = self.pods();
        self.look().await?;
        let staying = || self.replicas.iter().filter(|replica| replica.is_staying());
        let (count, wanted) = (staying().count(), self.wanted as usize);
        let available = staying().filter(|replica| replica.is_available(self.pace.min_ready)).count();
        let outdated = staying().any(|replica| replica.revision < self.revision);
        let coming = staying().any(|replica| !replica.is_available(self.pace.min_ready));
        if count < wanted || (outdated && count == wanted && !coming) {
            self.start()?;
        } else if count > wanted && (available > wanted || !outdated) {
            self.dismiss().await?;
        }
        Ok(self.pods() != before)
    }

    /// Sees who has become ready, who is to be told to end, and who has ended.
    async fn look(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        for replica in &mut self.replicas {
            match replica.state {
                State::Starting => {
                    let admin = self.slots[replica.slot].admin;
                    let request = format!("GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
                    let answer = exchange(admin, request.as_bytes()).await;
                    if answer.is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200")) {
                        replica.state = State::Ready(Instant::now());
                        for balancer in &self.balancers {
                            balancer.open(replica.slot, true).await?;
                        }
                    }
                }
                State::PreStop(until) if now >= until => {
                    replica.signal(Signal::TERM)?;
                    replica.state = State::Ending(now + self.pace.grace.saturating_sub(self.pace.pre_stop));
                }
                State::Ending(until) if now >= until => {
                    self.mishaps.push(format!("{} did not end in time", replica.name()));
                    replica.signal(Signal::KILL)?;
                    replica.state = State::Ending(now + self.pace.grace);
                }
                _ => {}
            }
        }
        let mishaps = &mut self.mishaps;
        self.replicas.retain_mut(|replica| match replica.child.0.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                if !status.success() || !matches!(replica.state, State::Ending(_)) {
                    mishaps.push(format!("{} ended: {status}", replica.name()));
                }
                false
            }
            Err(error) => {
                mishaps.push(format!("{}: {error}", replica.name()));
                false
            }
        });
        Ok(())
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let taken = |slot: &usize| self.replicas.iter().any(|replica| replica.slot == *slot);
        let slot = (0..self.slots.len()).find(|slot| !taken(slot)).context("more replicas than places")?;
        let Slot { public, admin } = self.slots[slot];
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GATEWAY_")) {
            command.env_remove(name);
        }
        command
            .envs(&self.settings)
            .env("GATEWAY_LISTEN", public.to_string())
            .env("GATEWAY_ADMIN_LISTEN", admin.to_string());
        let child = spawn(command, &self.program)?;
        self.replicas.push(Replica { slot, revision: self.revision, child, state: State::Starting });
        Ok(())
    }

    /// Lets one go: an outdated one, else the youngest, as a ReplicaSet does.
    async fn dismiss(&mut self) -> anyhow::Result<()> {
        let staying = self.replicas.iter_mut().filter(|replica| replica.is_staying());
        // The first of the least: of the outdated ones the oldest, and behind them the youngest.
        let (_, leaver) = staying
            .enumerate()
            .min_by_key(|(age, replica)| {
                let outdated = replica.revision < self.revision;
                (!outdated, if outdated { *age } else { usize::MAX - *age })
            })
            .context("nobody to let go")?;
        leaver.state = State::PreStop(Instant::now() + self.pace.pre_stop);
        for balancer in &self.balancers {
            balancer.open(leaver.slot, false).await?;
        }
        Ok(())
    }
}

impl Replica {
    fn name(&self) -> String {
        format!("gateway-{}-{}", self.revision, self.slot)
    }

    fn is_staying(&self) -> bool {
        matches!(self.state, State::Starting | State::Ready(_))
    }

    fn is_available(&self, min_ready: Duration) -> bool {
        matches!(self.state, State::Ready(since) if since.elapsed() >= min_ready)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.child.0.id().cast_signed()).context("it has no id")?;
        // One that has just ended by itself is found out at the next look.
        let _gone = kill_process(pid, signal);
        Ok(())
    }
}
