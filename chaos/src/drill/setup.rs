use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    future::{join_all, try_join_all},
    stream,
};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};
use shared::{CompanyId, Cursor};
use tokio::time::Instant;

use crate::{
    defaults::{BAD_LINE_SHARE, PATIENCE},
    oracle::Seal,
    receiver::{Habits, Meter, Plan, Receiver, Transport},
    sender::{Flow, Sender, Setup},
    token,
    world::{Folder, Layout, Pace, Program, Site, within},
};

/// What a drill is made of.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Everything random follows from it.
    pub(crate) seed: u64,
    /// Receivers.
    pub(crate) sessions: usize,
    /// Companies that they are of.
    pub(crate) companies: usize,
    /// Facts a second.
    pub(crate) rate: u32,
    /// Gateways.
    pub(crate) gateways: usize,
    /// Gateways that are known to the balancers and do not run yet.
    pub(crate) spare: usize,
    /// Balancers, among which the receivers are shared out: each has but so many descriptors.
    pub(crate) balancers: usize,
    /// The gateways' pace.
    pub(crate) pace: Pace,
    /// How receivers listen, in turns.
    pub(crate) transports: Vec<Transport>,
    /// The gateway's program.
    pub(crate) program: Program,
    /// Another build of it.
    pub(crate) other_build: Option<PathBuf>,
    /// Whether Redis is guarded by sentinels.
    pub(crate) sentinels: bool,
    /// Whether Redis is a cluster.
    pub(crate) cluster: bool,
    /// What receivers do as they should.
    pub(crate) habits: Habits,
    /// Whether publishers retry under a new event id.
    pub(crate) careless: bool,
    /// Whether receivers are given the token of the next company.
    pub(crate) wrong_tokens: bool,
}

/// A drill under way.
pub(crate) struct Drill {
    /// The processes.
    pub(crate) site: Site,
    /// The publishers.
    pub(crate) sender: Arc<Sender>,
    /// The receivers.
    pub(crate) receivers: Vec<Receiver>,
    /// The companies.
    pub(crate) companies: Vec<CompanyId>,
    /// Another build of the gateway.
    pub(crate) other_build: Option<PathBuf>,
    /// What receivers measure.
    pub(crate) meter: Arc<Meter>,
    pub(super) flow: Option<Flow>,
    /// What a fault measured itself, because it goes on after the heal.
    pub(super) recovery: Option<Result<Vec<Duration>, String>>,
    dice: ChaCha8Rng,
}

impl Drill {
    /// Brings everything up.
    pub(crate) async fn start(folder: &Arc<Folder>, options: &Options) -> anyhow::Result<Self> {
        let started = Instant::now();
        let layout = Layout {
            gateways: options.gateways,
            spare: options.spare,
            balancers: options.balancers,
            pace: options.pace.clone(),
            program: options.program.clone(),
            sentinels: options.sentinels,
            cluster: options.cluster,
        };
        let site = Site::start(folder, &layout).await?;
        let seal = Arc::new(Seal::of(options.seed));
        let setup = Setup {
            redis: site.publisher_url(),
            public: site.public(),
            seed: options.seed,
            careless: options.careless,
        };
        let sender = Arc::new(Sender::new(setup, seal.clone())?);
        let companies: Result<Vec<_>, _> =
            (0..options.companies.max(1)).map(|number| CompanyId::parse(&format!("c{number}"))).collect();
        let companies = companies?;
        let mut drill = Self {
            site,
            sender,
            receivers: vec![],
            companies,
            other_build: options.other_build.clone(),
            meter: Arc::new(Meter::new()),
            flow: None,
            recovery: None,
            dice: ChaCha8Rng::seed_from_u64(options.seed),
        };
        // Each log has an event before anybody joins.
        drill.mark_all().await?;
        drill.receive(options, &seal, started).await?;
        let seed = drill.dice.next_u64();
        drill.flow = Some(Flow::start(&drill.sender, &drill.companies, options.rate, seed));
        folder.note(&format!("up, with {} receivers", drill.receivers.len()));
        Ok(drill)
    }

    /// Starts the receivers, so many at a time, and waits until each is welcomed.
    async fn receive(&mut self, options: &Options, seal: &Arc<Seal>, started: Instant) -> anyhow::Result<()> {
        // A connection for each request, so that a poller meets another gateway each time.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build()?;
        let mut plans = Vec::with_capacity(options.sessions);
        for number in 0..options.sessions {
            let company = self.companies[number % self.companies.len()].clone();
            let transport = options.transports[number / self.companies.len() % options.transports.len()];
            // Where there are many, nobody spoils lines.
            let bad_line = options.balancers == 1 && number % BAD_LINE_SHARE == BAD_LINE_SHARE - 1;
            let token_of = if options.wrong_tokens { number + 1 } else { number };
            plans.push(Plan {
                name: format!("{transport:?}-{number}-{company}").to_lowercase(),
                token: token::listener(&self.companies[token_of % self.companies.len()], &format!("u{number}"))?,
                company,
                transport,
                address: if bad_line { self.site.receivers.address() } else { self.site.public_of(number) },
                habits: options.habits,
                seed: self.dice.next_u64(),
                meter: self.meter.clone(),
            });
        }
        let welcomed = stream::iter(plans)
            .map(|plan| async {
                let receiver = Receiver::start(plan, seal, &http, started);
                within(&format!("{} is welcomed", receiver.name()), PATIENCE, receiver.connected()).await?;
                anyhow::Ok(receiver)
            })
            .buffered(64);
        let welcomed: Vec<_> = welcomed.collect().await;
        self.receivers = welcomed.into_iter().collect::<anyhow::Result<_>>()?;
        Ok(())
    }

    /// Publishes a marker for each company; the number and place of each.
    pub(crate) async fn mark_all(&self) -> anyhow::Result<HashMap<CompanyId, (u64, Cursor)>> {
        let marks = self.companies.iter().map(async |company| {
            let mark = self.sender.mark(company).await?;
            anyhow::Ok((company.clone(), mark))
        });
        Ok(try_join_all(marks).await?.into_iter().collect())
    }

    /// Waits until every receiver is connected.
    pub(crate) async fn all_connected(&self) {
        join_all(self.receivers.iter().map(Receiver::connected)).await;
    }

    /// How many connections of a kind have ended so far.
    pub(crate) fn cuts(&self, transport: Transport) -> u32 {
        let own = self.receivers.iter().filter(|receiver| receiver.transport == transport);
        own.map(|receiver| receiver.progress().cuts).sum()
    }

    /// How many sessions have ended so far: WebSockets and streams. A poll is none; it may fail while Redis is away.
    pub(crate) fn sessions_ended(&self) -> u32 {
        self.cuts(Transport::Ws) + self.cuts(Transport::Sse)
    }

    /// A number, both ends included.
    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        self.dice.random_range(least..=most)
    }

    /// A number below.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.dice.random_range(0..bound.max(1))
    }

    pub(crate) fn between_ms(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.dice.random_range(least..=most))
    }

    pub(crate) fn toss(&mut self) -> bool {
        self.dice.random_bool(0.5)
    }

    pub(crate) fn any_company(&mut self) -> CompanyId {
        let index = self.below(self.companies.len());
        self.companies[index].clone()
    }
}
