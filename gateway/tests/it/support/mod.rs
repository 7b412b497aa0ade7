//! What the tests stand on: the real binary, a real `redis-server`, and clients that see every byte.
//!
//! Nothing here knows the gateway's code; it speaks what the contract says and nothing else. Every wait has an end,
//! and says what it had seen when it gives up.

use std::{fmt::Display, time::Duration};

use tokio::time::{Instant, sleep};

mod api;
mod client;
mod collector;
mod document;
mod gateway;
mod http;
mod key_server;
mod keys;
mod load;
mod nomad;
mod poll;
mod proxy;
mod raw;
mod redis;
mod shards;
mod site;
mod sse;
mod tls;
mod token;

pub(crate) use api::{Api, event, n};
pub(crate) use client::{Client, Incoming};
pub(crate) use collector::Collector;
pub(crate) use document::DOCUMENT;
pub(crate) use gateway::{Gateway, Launch};
pub(crate) use http::{Request, Response};
pub(crate) use key_server::{Answer, KeyServer};
pub(crate) use keys::{KeyPair, make_public_key};
pub(crate) use load::Load;
pub(crate) use nomad::{Balancer, Nomad};
pub(crate) use poll::{Polled, timed};
pub(crate) use proxy::Proxy;
pub(crate) use raw::{Opcode, RawSession, frame, frame_head, frame_with};
pub(crate) use redis::{Redis, free_port};
pub(crate) use shards::{Shards, ask};
pub(crate) use site::{Backplane, Site, on_both_backplanes};
pub(crate) use sse::{Message, Stream};
pub(crate) use tls::TlsServer;
pub(crate) use token::{SECRET, Token, forge, now};

/// How long anything may take before a test gives up: generous, since two cores run many tests at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Looks again and again until `look` says `Ok`; gives up with the last thing that it saw.
pub(crate) async fn eventually<T, E: Display>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if Instant::now() > deadline => {
                panic!("{what} did not happen in {PATIENCE:?}; last seen: {seen}")
            }
            Err(_) => sleep(Duration::from_millis(15)).await,
        }
    }
}
