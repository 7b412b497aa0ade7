//! Where Redis is: at an address, wherever the sentinels say its master is at the moment, or spread over a cluster.
//!
//! The driver's own Sentinel client believes the first sentinel that answers, with a patience that cannot be set, and
//! `deadpool-redis` builds on it. So [`sentinels`] asks by itself and believes the newest configuration that a majority
//! knows. Nothing is kept: whoever connects asks anew.

mod cluster;
mod sentinels;
mod topology;
mod url;

use std::{fmt, io};

use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisResult, Role,
    aio::MultiplexedConnection,
    cmd,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use self::sentinels::Sentinels;
pub use self::{
    cluster::{Cluster, Node},
    topology::Topology,
};
use crate::{Tls, defaults};

/// Where Redis is, and who connects to it.
///
/// - `redis://[user:password@]host[:port][/db]`: a server.
/// - `rediss://[user:password@]host[:port][/db]`: a server that speaks TLS; see [`Tls`].
/// - `redis+sentinel://[user:password@]host[:port][,host[:port]...]/master-name[/db]`: the server that the sentinels at
///   these addresses (port 26379 unless given) name as the master of that name. User and password are those of the
///   server. For sentinels that ask for some, too: `?sentinelUser=..&sentinelPassword=..`, or the password alone.
/// - `redis+cluster://[user:password@]host[:port][,host[:port]...]`: a Redis Cluster, of which these servers know the
///   others; `rediss+cluster://` if they speak TLS. Events are announced by sharded pub/sub there.
///
/// Special characters in names and passwords are percent-encoded.
#[derive(Clone)]
pub struct Endpoint(Kind);

#[derive(Clone)]
enum Kind {
    /// Always the same.
    Server(Client),
    /// To be asked for.
    Sentinels(Sentinels),
    /// Many; which one depends on the slot.
    Cluster(Cluster),
}

impl Endpoint {
    /// Reads a URL. Connects nothing.
    ///
    /// ```
    /// use publisher::Endpoint;
    ///
    /// assert!(Endpoint::parse("redis+sentinel://s-0,s-1,s-2/events").is_ok());
    /// assert!(Endpoint::parse("redis+cluster://r-0:6379,r-1:6379").unwrap().cluster().is_some());
    /// assert!(Endpoint::parse("http://r-0:6379").is_err());
    /// ```
    ///
    /// # Errors
    /// What is wrong with it, without repeating it: there may be a password in it.
    pub fn parse(url: &str) -> Result<Self, String> {
        Self::with_tls(url, &Tls::new())
    }

    /// Reads a URL, and the certificates that go with it if it is a `rediss://`. Connects nothing.
    ///
    /// # Errors
    /// What is wrong with either, without repeating it.
    pub fn with_tls(url: &str, tls: &Tls) -> Result<Self, String> {
        url::parse(url, tls).map(Self)
    }

    /// The cluster, if it is one.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        match &self.0 {
            Kind::Cluster(cluster) => Some(cluster),
            Kind::Server(_) | Kind::Sentinels(_) => None,
        }
    }

    /// One server, always the same.
    #[must_use]
    pub fn server(client: Client) -> Self {
        Self(Kind::Server(client))
    }

    /// A client of the server to talk to now; of a cluster, of any. Behind sentinels it is asked for anew each time, and has
    /// said itself that it is a master. That takes milliseconds; what does not answer, sentinels or server, is given a
    /// second each.
    ///
    /// # Errors
    /// When no sentinel knows the master, or it cannot be reached, or is none.
    pub async fn client(&self) -> RedisResult<Client> {
        let client = self.locate().await?;
        if let Kind::Sentinels(_) = self.0 {
            let config = connection_config();
            self.verify(&mut client.get_multiplexed_async_connection_with_config(&config).await?).await?;
        }
        Ok(client)
    }

    /// Whether a client that [`client`](Self::client) gave still leads to the master.
    ///
    /// A master that was cut off and replaced does not know of it, and connections to it stay open: whoever holds one
    /// asks from time to time. It costs a short connection to each sentinel and takes a second at most; without sentinels
    /// it is always true, and free.
    ///
    /// # Errors
    /// When a majority of the sentinels does not answer. Nothing is known then, which is no reason to move.
    pub async fn is_current(&self, client: &Client) -> RedisResult<bool> {
        let address = client.get_connection_info().addr();
        Ok(self.masters().await?.is_none_or(|masters| masters.contains(address)))
    }

    /// Like [`client`](Self::client), but nobody has asked the server yet what it is.
    pub(crate) async fn locate(&self) -> RedisResult<Client> {
        match &self.0 {
            Kind::Server(client) => Ok(client.clone()),
            // Boxed: whoever awaits this should not have to carry a future that deep.
            Kind::Sentinels(sentinels) => Box::pin(sentinels.locate()).await,
            Kind::Cluster(cluster) => cluster.any(),
        }
    }

    /// Makes sure that the server at the other end is a master, if it was sentinels who named it.
    ///
    /// They may be behind, and what one of them has just promoted may not have noticed yet.
    pub(crate) async fn verify(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        match self.0 {
            Kind::Server(_) | Kind::Cluster(_) => Ok(()),
            Kind::Sentinels(_) => match cmd("ROLE").query_async(connection).await? {
                Role::Primary { .. } => Ok(()),
                _ => Err(io::Error::other("the server that the sentinels name is not a master").into()),
            },
        }
    }

    /// The address of the master, in every spelling that a sentinel has for it; nothing without sentinels.
    pub(crate) async fn masters(&self) -> RedisResult<Option<Vec<ConnectionAddr>>> {
        match &self.0 {
            Kind::Server(_) | Kind::Cluster(_) => Ok(None),
            Kind::Sentinels(sentinels) => Box::pin(sentinels.agree()).await.map(Some),
        }
    }
}

impl fmt::Debug for Endpoint {
    /// Without the URL: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

/// A client whose connections are quick, and notice a peer that vanished: the driver's default does neither.
fn client(server: ConnectionInfo) -> RedisResult<Client> {
    Client::open(server.set_tcp_settings(tcp_settings()))
}

fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(defaults::KEEPALIVE_IDLE)
        .with_interval(defaults::KEEPALIVE_INTERVAL)
        .with_retries(defaults::KEEPALIVE_PROBES);
    let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let tcp = tcp.set_user_timeout(defaults::TCP_USER_TIMEOUT);
    tcp
}

/// For a question that is asked on a connection of its own.
fn connection_config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(defaults::CONNECT_TIMEOUT))
        .set_response_timeout(Some(defaults::RESPONSE_TIMEOUT))
}
