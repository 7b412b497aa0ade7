#![doc = include_str!("../README.md")]
//!
//! # Inside
//!
//! [`Publisher`] seals an event into a [`shared::Envelope`] and hands it to the *script* (`publish.lua`), which appends
//! it to the company's log and announces it to the gateways; over a *line*, a connection to the [`Endpoint`] that is held
//! open; through *attempts*, until it is stored, refused or out of time. After it comes `gateway`, which reads channel and log.

mod batch;
mod builder;
mod defaults;
mod endpoint;
mod error;
mod line;
mod lines;
mod publisher;
mod retry;
mod revoke;
mod script;
mod tls;
#[cfg(feature = "otel")]
mod trace;
mod ways;

pub use batch::Batch;
pub use builder::PublisherBuilder;
pub use endpoint::{Cluster, Endpoint, Node, Topology};
pub use error::PublishError;
pub use publisher::{Published, Publisher, new_event_id};
pub use shared;
pub use tls::Tls;
