//! The real processes of a run: Redis (alone, a master with a replica and three sentinels, or a cluster), gateways, HAProxy, and
//! between them [`Proxy`]s of ours that make a network misbehave.
//!
//! ```text
//! publishers --proxy--> Redis <--proxy per gateway-- gateways <-- HAProxy <-- receivers
//!                                                                    ^--proxy-- receivers on a bad line
//! ```
//!
//! Everything listens on 127.0.0.1 and dies with us.

mod admin;
mod child;
mod cluster;
mod folder;
mod gateway;
mod haproxy;
mod loss;
mod ports;
mod proxy;
mod pump;
mod redis;
mod sentinel;
mod site;
mod wait;

pub(crate) use admin::Metrics;
pub(crate) use cluster::Cluster;
pub(crate) use folder::Folder;
pub(crate) use gateway::{Gateway, Pace, Program, carry, faketime};
pub(crate) use loss::Loss;
pub(crate) use proxy::{Proxy, Toxic};
pub(crate) use redis::{Redis, command};
pub(crate) use sentinel::Sentinels;
pub(crate) use site::{Layout, Site};
pub(crate) use wait::{eventually, within};
