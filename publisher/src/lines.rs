//! Connections that are held open: one round trip per publish.
//!
//! `deadpool-redis` opens and counts them, but they are not checked out and in per publish, for two reasons. Its
//! recycling asks `UNWATCH` and `PING` at every checkout, a second round trip (a trivial script over loopback: 159 us
//! with it, 62 us without); and `UNWATCH` is outside the publisher's least-privilege ACL, so that every checkout would
//! be refused and open a new connection. What it pools are multiplexed connections, made to be shared: each *line* here
//! is one, checked out once, cloned per request, and taken out of the pool for good as soon as it fails, so that no bad
//! connection is ever handed out again. How many lines there are, from one to eight, made no difference to measure.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use deadpool_redis::{
    Connection, Manager, Pool, PoolError, Runtime,
    redis::{
        AsyncConnectionConfig, IntoConnectionInfo, RedisError,
        aio::MultiplexedConnection,
        io::tcp::{TcpSettings, socket2::TcpKeepalive},
    },
};
use tokio::sync::OnceCell;

use crate::{PublisherBuilder, defaults};

/// A checked-out connection that never goes back into the pool.
struct Line(Option<Connection>);

impl Line {
    fn connection(&self) -> MultiplexedConnection {
        self.0.as_deref().expect("a line has its connection until it is dropped").clone()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Dropping the pool's wrapper would put the connection back; taking it out frees its place as well.
        drop(self.0.take().map(Connection::take));
    }
}

/// A line to be: the first who needs it opens it, the others wait for that.
type Slot = Arc<OnceCell<Line>>;

/// All lines of a publisher.
pub(crate) struct Lines {
    pool: Pool,
    slots: Vec<Mutex<Slot>>,
    next: AtomicUsize,
}

/// The use of one line for one request.
pub(crate) struct Lease {
    pub(crate) connection: MultiplexedConnection,
    number: usize,
    slot: Slot,
}

impl Lines {
    /// Prepares the lines; connects nothing.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub(crate) fn new(settings: &PublisherBuilder) -> Result<Self, String> {
        let keepalive = TcpKeepalive::new()
            .with_time(defaults::KEEPALIVE_IDLE)
            .with_interval(defaults::KEEPALIVE_INTERVAL)
            .with_retries(defaults::KEEPALIVE_PROBES);
        let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        let tcp = tcp.set_user_timeout(defaults::TCP_USER_TIMEOUT);
        let server = settings.url.as_str().into_connection_info().map_err(|error| error.to_string())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(Some(settings.response_timeout));
        let manager =
            Manager::new_with_config(server.set_tcp_settings(tcp), config).map_err(|error| error.to_string())?;
        let pool = Pool::builder(manager)
            // A line that was given up lives until its last request has ended; its successor must not wait for that.
            .max_size(settings.pool_size * 2)
            .wait_timeout(Some(settings.connect_timeout))
            .create_timeout(Some(settings.connect_timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| error.to_string())?;
        let slots = (0..settings.pool_size).map(|_| Mutex::default()).collect();
        Ok(Self { pool, slots, next: AtomicUsize::new(0) })
    }

    /// The next line in turn, opened if it is not.
    ///
    /// # Errors
    /// When it cannot be opened. Nothing was sent then.
    pub(crate) async fn lease(&self) -> Result<Lease, RedisError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let slot = Arc::clone(&self.slots[number].lock().unwrap_or_else(PoisonError::into_inner));
        let line = slot.get_or_try_init(async || self.open().await).await?;
        let connection = line.connection();
        Ok(Lease { connection, number, slot })
    }

    /// Gives a line up: nobody is given it any more. It closes when its last request has ended.
    pub(crate) fn discard(&self, lease: &Lease) {
        let mut current = self.slots[lease.number].lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, &lease.slot) {
            *current = Slot::default();
        }
    }

    async fn open(&self) -> Result<Line, RedisError> {
        match self.pool.get().await {
            Ok(connection) => Ok(Line(Some(connection))),
            Err(PoolError::Backend(error)) => Err(error),
            Err(PoolError::Timeout(_)) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in the given time").into())
            }
            Err(error) => Err(io::Error::other(error).into()),
        }
    }
}
