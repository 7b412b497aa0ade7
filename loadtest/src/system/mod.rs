//! What is measured: the gateway, or another server that does the nearest to the same work.
//!
//! A system knows three things of itself. Its [`Dialect`] says how a session is opened and what its frames mean, without
//! I/O; its [`Outlet`] publishes events to rooms; and `start` runs it and hands back a [`Subject`], which is all that a
//! measurement gets to see. Events of every system carry [`MARKS`](crate::client::marks) in their JSON, so that losses,
//! doubles and latency are counted alike.

mod dialect;
pub(crate) mod gateway;
mod nats;
mod nchan;
mod outlet;
mod peer;
mod socketio;
mod sockudo;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::ValueEnum;
use reqwest::Url;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    dialect::{Dialect, Greeting, Heard, Ticket, upgrade},
    outlet::{Outlet, Parcel, ToGateway},
};
use crate::measure::{children::Guard, mint::Mint};

/// The systems, in the order in which a first round measures them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Ours.
    Gateway,
    /// NATS
    Nats,
    /// nginx with nchan
    Nchan,
    /// Socket.IO
    Socketio,
    /// NestJS, with Socket.IO below
    Nestjs,
    /// Sockudo
    Sockudo,
}

/// What a system is given to start with.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The gateway's program.
    pub(crate) gateway: PathBuf,
    /// Where `loadtest/peers/setup` has put the others.
    pub(crate) peers: PathBuf,
    /// An empty Redis for this run alone.
    pub(crate) redis: String,
    /// Signs the sessions' tokens (HS256).
    pub(crate) secret: String,
    /// Whether caps on sessions and an interest filter are on, where it has them.
    pub(crate) limited: bool,
}

/// What is said of a system in a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    /// Its name for people.
    pub(crate) name: String,
    /// The version that ran.
    pub(crate) version: String,
    /// What it does for a session and an event, and where that is less or more than the gateway's work.
    pub(crate) work: String,
}

/// A system that runs.
pub(crate) struct Subject {
    /// Where sessions connect to.
    pub(crate) address: SocketAddr,
    /// The `Host` header.
    pub(crate) host: String,
    /// Its processes, whose memory and CPU are added up. Not Redis.
    pub(crate) pids: Vec<u32>,
    /// How to speak to it.
    pub(crate) dialect: Arc<dyn Dialect>,
    /// What signs tokens.
    pub(crate) mint: Mint,
    /// How to publish; whoever does takes it.
    pub(crate) outlet: Option<Box<dyn Outlet>>,
    /// The gateway's own counts.
    pub(crate) admin: Option<Url>,
    /// The generator's name, which its companies begin with.
    pub(crate) generator: String,
    /// When to begin, in seconds since 1970, if not at once.
    pub(crate) start_at: Option<u64>,
    /// Threads that read its sessions.
    pub(crate) readers: usize,
    /// Ended when this is dropped.
    pub(crate) children: Vec<Guard>,
}

impl Kind {
    /// All of them.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its name on the command line, and of its folder.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What there is to say of it, as it is installed at a place.
    pub(crate) fn about(self, place: Option<&Place>) -> About {
        match self {
            Self::Gateway => gateway::about(place),
            other => peer::about(other, place),
        }
    }

    /// Starts it afresh and waits until it is ready.
    pub(crate) async fn start(self, place: &Place) -> anyhow::Result<Subject> {
        match self {
            Self::Gateway => gateway::start(place).await,
            other => peer::start(other, place).await,
        }
    }
}
