//! Reading a company's log.

use redis::{
    Pipeline, RedisError,
    aio::MultiplexedConnection,
    streams::{StreamId, StreamRangeReply},
};
use shared::{CompanyId, Cursor, keys};

use crate::{
    backplane::{LogSlice, ReadError},
    defaults::{MAX_CATCH_UP, MAX_CATCH_UP_BYTES, MAX_PAINT_BYTES, PAINT_PAGE},
    delivery::Delivery,
};

/// Which part of the log.
pub(super) enum Which {
    /// Everything from a cursor on, read in pages.
    From { cursor: Cursor, page: usize },
    /// The newest so many.
    Newest(usize),
}

pub(super) async fn read(
    mut connection: MultiplexedConnection,
    company: &CompanyId,
    which: Which,
) -> Result<LogSlice, ReadError> {
    let key = keys::log(company);
    match which {
        Which::Newest(limit) => newest(&mut connection, &key, limit).await,
        Which::From { cursor, page } => from(&mut connection, &key, cursor, page).await,
    }
}

/// The top is read in the same round trip and before the events: what is appended in between is then in the events.
async fn from(
    connection: &mut MultiplexedConnection,
    key: &str,
    cursor: Cursor,
    page: usize,
) -> Result<LogSlice, ReadError> {
    let (top, mut entries): (StreamRangeReply, StreamRangeReply) = Pipeline::new()
        .xrevrange_count(key, "+", "-", 1)
        .xrange_count(key, cursor.to_string(), "+", page)
        .query_async(connection)
        .await
        .map_err(unavailable)?;
    let top = top.ids.first().map(position).transpose()?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    loop {
        let full_page = entries.ids.len() == page;
        for delivery in entries.ids.iter().filter_map(decode) {
            bytes += delivery.size();
            events.push(delivery);
        }
        let last = match entries.ids.pop() {
            Some(last) if full_page => last.id,
            _ => return Ok(LogSlice { top, events }),
        };
        if events.len() >= MAX_CATCH_UP || bytes >= MAX_CATCH_UP_BYTES {
            let top = newest(connection, key, 0).await?.top.unwrap_or(cursor);
            return Err(ReadError::TooFar { top });
        }
        entries = redis::cmd("XRANGE")
            .arg((key, format!("({last}"), "+", "COUNT", page))
            .query_async(connection)
            .await
            .map_err(unavailable)?;
    }
}

/// Read in pages, backwards, until there are enough or they weigh too much.
async fn newest(connection: &mut MultiplexedConnection, key: &str, limit: usize) -> Result<LogSlice, ReadError> {
    let (mut top, mut end) = (None, "+".to_owned());
    let (mut events, mut bytes) = (Vec::new(), 0);
    loop {
        let page = (limit - events.len()).clamp(1, PAINT_PAGE);
        let entries: StreamRangeReply = redis::cmd("XREVRANGE")
            .arg((key, &end, "-", "COUNT", page))
            .query_async(connection)
            .await
            .map_err(unavailable)?;
        if top.is_none() {
            top = entries.ids.first().map(position).transpose()?;
        }
        for delivery in entries.ids.iter().filter_map(decode) {
            bytes += delivery.size();
            events.push(delivery);
        }
        match entries.ids.last() {
            Some(oldest) if entries.ids.len() == page && events.len() < limit && bytes < MAX_PAINT_BYTES => {
                end = format!("({}", oldest.id);
            }
            _ => break,
        }
    }
    events.truncate(limit);
    events.reverse();
    Ok(LogSlice { top, events })
}

fn position(entry: &StreamId) -> Result<Cursor, ReadError> {
    entry.id.parse().map_err(|_| ReadError::Unavailable("an entry of the log has a malformed id".into()))
}

/// An entry that is not ours is left out; the hole that it makes is seen by whoever needs the log to be whole.
fn decode(entry: &StreamId) -> Option<Delivery> {
    let record: Vec<u8> = entry.get(keys::LOG_FIELD)?;
    Delivery::decode(&record).ok()
}

fn unavailable(error: RedisError) -> ReadError {
    ReadError::Unavailable(error.to_string())
}
