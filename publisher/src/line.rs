//! One line: a connection that is opened once and closed for good.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use deadpool_redis::{
    Connection, Manager, Pool, PoolError, Runtime,
    redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError, aio::MultiplexedConnection},
};
use tokio::time::timeout;

use crate::{Endpoint, PublisherBuilder};

/// A checked-out connection that never goes back into the pool.
pub(crate) struct Line {
    connection: Option<Connection>,
    /// Where it leads.
    pub(crate) server: ConnectionAddr,
}

impl Line {
    pub(crate) fn connection(&self) -> MultiplexedConnection {
        self.connection.as_deref().expect("a line has its connection until it is dropped").clone()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Dropping the pool's wrapper would put the connection back; taking it out frees its place as well.
        drop(self.connection.take().map(Connection::take));
    }
}

/// Opens lines.
pub(crate) struct Opener {
    pub(crate) endpoint: Endpoint,
    config: AsyncConnectionConfig,
    timeout: Duration,
    lines: usize,
    /// The connections to the server that was located last.
    pool: Mutex<Option<(ConnectionAddr, Pool)>>,
}

impl Opener {
    pub(crate) fn new(endpoint: Endpoint, settings: &PublisherBuilder) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(Some(settings.response_timeout));
        Self { endpoint, config, timeout: settings.connect_timeout, lines: settings.pool_size, pool: Mutex::default() }
    }

    /// Opens one to the server to talk to now, within the connect timeout.
    pub(crate) async fn open(&self) -> Result<Line, RedisError> {
        let opening = async {
            let client = self.endpoint.locate().await?;
            let server = client.get_connection_info().addr().clone();
            let connection = self.pool_of(&client)?.get().await.map_err(|error| match error {
                PoolError::Backend(error) => error,
                PoolError::Timeout(_) => late(),
                error => io::Error::other(error).into(),
            })?;
            let line = Line { connection: Some(connection), server };
            self.endpoint.verify(&mut line.connection()).await?;
            Ok(line)
        };
        timeout(self.timeout, opening).await.map_err(|_| late())?
    }

    /// The pool of this server's connections; one of another server's is let go.
    fn pool_of(&self, client: &Client) -> Result<Pool, RedisError> {
        let server = client.get_connection_info();
        let mut current = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((address, pool)) = &*current
            && address == server.addr()
        {
            return Ok(pool.clone());
        }
        let manager = Manager::new_with_config(server.clone(), self.config.clone())?;
        let pool = Pool::builder(manager)
            // A line that was given up lives until its last request has ended; its successor must not wait for that.
            .max_size(self.lines * 2)
            .wait_timeout(Some(self.timeout))
            .create_timeout(Some(self.timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(io::Error::other)?;
        *current = Some((server.addr().clone(), pool.clone()));
        Ok(pool)
    }
}

fn late() -> RedisError {
    io::Error::new(io::ErrorKind::TimedOut, "no connection in the given time").into()
}
