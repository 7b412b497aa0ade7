//! The others: what `loadtest/peers/setup` installed, started by its `run` and told by the environment where.

use std::{fs, net::SocketAddr, path::PathBuf, process::Command, sync::Arc};

use anyhow::{Context, ensure};
use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use shared::{CompanyId, Cursor};

use super::{About, Dialect, Kind, Outlet, Parcel, Place, Subject, nats::Nats, nchan, socketio, sockudo};
use crate::{
    client::marks,
    measure::{
        children::{Guard, exchange, free_address, spawn, until},
        mint::Mint,
        process::family,
    },
};

/// So many answers in a row come from all of its processes.
const ANSWERS: usize = 20;

/// Its folder among what was installed.
fn folder(kind: Kind, place: &Place) -> PathBuf {
    place.peers.join(kind.name())
}

/// What there is to say of it: its README tells what it does, and what is not equal.
pub(super) fn about(kind: Kind, place: Option<&Place>) -> About {
    let read =
        |name| place.and_then(|place| fs::read_to_string(folder(kind, place).join(name)).ok()).unwrap_or_default();
    let readme = read("README.md");
    let (title, text) = readme.split_once('\n').unwrap_or_default();
    let name = title.trim_start_matches("# ");
    About {
        // Where it is not installed there is none.
        name: if name.is_empty() { format!("{kind:?}") } else { name.to_owned() },
        version: read("version").trim().to_owned(),
        work: text.trim().to_owned(),
    }
}

/// Starts it and waits until it listens.
pub(super) async fn start(kind: Kind, place: &Place) -> anyhow::Result<Subject> {
    let folder = folder(kind, place);
    ensure!(folder.join("installed").exists(), "not installed: run loadtest/peers/setup {}", kind.name());
    let (address, publisher) = (free_address()?, free_address()?);
    let program = folder.join("run");
    let mut command = Command::new(&program);
    command
        .env("PORT", address.port().to_string())
        .env("CLIENT_PORT", publisher.port().to_string())
        .env("REDIS_URL", &place.redis)
        .env("JWT_SECRET", &place.secret);
    let mut child = spawn(command, &program)?;
    ready(kind, address, &mut child).await?;
    let (dialect, outlet): (Arc<dyn Dialect>, Box<dyn Outlet>) = match kind {
        Kind::Gateway => anyhow::bail!("the gateway is not one of the others"),
        Kind::Socketio | Kind::Nestjs => {
            (Arc::new(socketio::SocketIo), Box::new(ToRedis::new(place, socketio::message, socketio::frame).await?))
        }
        Kind::Sockudo => {
            let outlet = ToRedis::new(place, sockudo::message, sockudo::frame).await?;
            (Arc::new(sockudo::Sockudo::new(&place.secret)), Box::new(outlet))
        }
        Kind::Nchan => (Arc::new(nchan::Nchan), Box::new(nchan::Endpoint::new(&address.to_string())?)),
        Kind::Nats => {
            let nats = Nats::new(&folder)?;
            let outlet = nats.outlet(publisher).await?;
            (Arc::new(nats), Box::new(outlet))
        }
    };
    Ok(Subject {
        address,
        host: address.to_string(),
        pids: family(child.0.id())?,
        dialect,
        mint: Mint::new(&place.secret.clone().into(), None, None),
        outlet: Some(outlet),
        admin: None,
        generator: "load".to_owned(),
        start_at: None,
        readers: 1,
        children: vec![child],
    })
}

/// Waits until each of its processes answers, and has found Redis: nginx' workers look for it one by one.
async fn ready(kind: Kind, address: SocketAddr, child: &mut Guard) -> anyhow::Result<()> {
    let path = if kind == Kind::Nchan { "/publish?company=ready" } else { "/" };
    let question = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    until(child, async || {
        for _ in 0..ANSWERS {
            match exchange(address, question.as_bytes()).await {
                Ok(answer) if answer.starts_with(b"HTTP/1.1 ") && !answer.starts_with(b"HTTP/1.1 5") => {}
                _ => return false,
            }
        }
        true
    })
    .await
}

/// Channel and message of an event.
type Message = fn(&Parcel) -> anyhow::Result<(String, Vec<u8>)>;

/// Publishes to Redis in a peer's own format.
struct ToRedis {
    connection: MultiplexedConnection,
    message: Message,
    frame: fn(&Parcel) -> String,
}

impl ToRedis {
    async fn new(place: &Place, message: Message, frame: fn(&Parcel) -> String) -> anyhow::Result<Self> {
        let connection = redis::Client::open(&*place.redis)?.get_multiplexed_async_connection().await?;
        Ok(Self { connection, message, frame })
    }
}

#[async_trait]
impl Outlet for ToRedis {
    async fn publish(&mut self, parcels: &[Parcel]) -> anyhow::Result<Vec<Cursor>> {
        let mut pipe = redis::pipe();
        for parcel in parcels {
            let (channel, message) = (self.message)(parcel)?;
            pipe.publish(channel, message).ignore();
        }
        pipe.query_async::<()>(&mut self.connection).await.context("Redis")?;
        Ok(Vec::new())
    }

    fn around(&self) -> anyhow::Result<usize> {
        let json = format!("{{{},\"pad\":\"\"}}", marks(1, 1));
        let parcel = Parcel { room: CompanyId::parse("load-00000")?, json };
        Ok((self.frame)(&parcel).len() - parcel.json.len())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{
        super::{Heard, Ticket},
        *,
    };

    pub(crate) fn ticket() -> Ticket {
        let room = CompanyId::parse("load-00001").unwrap();
        Ticket { number: 1, room, token: "a.b.c".to_owned(), after: None }
    }

    pub(crate) fn parcel() -> Parcel {
        let room = CompanyId::parse("load-00001").unwrap();
        Parcel { room, json: format!("{{{}}}", marks(1, 1)) }
    }

    pub(crate) fn heard<'a>(dialect: &dyn Dialect, frame: &'a [u8]) -> Vec<Heard<'a>> {
        let mut all = Vec::new();
        dialect.hear(frame, &mut |heard| all.push(heard));
        all
    }
}
