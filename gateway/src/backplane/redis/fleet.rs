//! The replicas' reports: one hash, so that nobody has to look for keys. A field is renewed by its replica and taken out
//! by any other that has seen it stand still for long; the hash goes when nobody renews anything.

use redis::{Pipeline, aio::MultiplexedConnection};

use crate::{backplane::ReadError, defaults::FLEET_FORGET};

pub(super) const KEY: &str = "gateway:fleet";

pub(super) async fn exchange(
    mut connection: MultiplexedConnection,
    replica: &str,
    report: &str,
    dead: &[String],
) -> Result<Vec<(String, String)>, ReadError> {
    let mut commands = Pipeline::new();
    commands.hset(KEY, replica, report).ignore().pexpire(KEY, FLEET_FORGET.as_millis() as i64 * 10).ignore();
    if !dead.is_empty() {
        commands.hdel(KEY, dead).ignore();
    }
    let (reports,) = commands
        .hgetall(KEY)
        .query_async(&mut connection)
        .await
        .map_err(|error| ReadError::Unavailable(error.to_string()))?;
    Ok(reports)
}
