//! One run of `publish.lua`: up to [`CHUNK_EVENTS`](defaults::CHUNK_EVENTS) events of one company.

use std::{io, time::Duration};

use deadpool_redis::redis::{self, RedisError, aio::MultiplexedConnection};
use shared::{Cursor, Envelope, keys};

use crate::{Published, PublisherBuilder, defaults};

/// The script and the arguments that are the same every time.
pub(crate) struct PublishScript {
    script: redis::Script,
    announces_by: &'static str,
    max_events: u64,
    log_ttl: u64,
    idempotency_ttl: u64,
}

impl PublishScript {
    pub(crate) fn new(settings: &PublisherBuilder, announces_by: &'static str) -> Self {
        Self {
            script: redis::Script::new(include_str!("publish.lua")),
            announces_by,
            max_events: settings.max_events,
            log_ttl: millis(settings.max_age),
            idempotency_ttl: millis(defaults::IDEMPOTENCY),
        }
    }

    /// Runs it by its hash; when Redis does not know it (restart, failover, `SCRIPT FLUSH`), loads it and runs it again.
    pub(crate) async fn run(
        &self,
        connection: &mut MultiplexedConnection,
        chunk: &[&Envelope],
    ) -> Result<Vec<Published>, RedisError> {
        let company = chunk[0].company();
        let mut call = self.script.key(keys::log(company));
        call.arg(keys::channel(company))
            .arg(self.max_events)
            .arg(self.log_ttl)
            .arg(self.idempotency_ttl)
            .arg(keys::LOG_FIELD)
            .arg(keys::ORIGIN_FIELD)
            .arg(self.announces_by);
        for envelope in chunk {
            call.key(keys::idempotency(company, envelope.event_id()))
                .arg(envelope.event_type().as_str())
                .arg(envelope.tail());
        }
        let reply: Vec<(String, bool)> = call.invoke_async(connection).await?;
        understand(&reply, chunk.len())
    }
}

/// Reads the script's answer. One that makes no sense leaves it open what happened.
fn understand(reply: &[(String, bool)], expected: usize) -> Result<Vec<Published>, RedisError> {
    let nonsense = || io::Error::new(io::ErrorKind::InvalidData, "the publish script's answer makes no sense");
    if reply.len() != expected {
        return Err(nonsense().into());
    }
    let read = |(id, duplicate): &(String, bool)| {
        let id: Cursor = id.parse().map_err(|_| nonsense())?;
        Ok(Published { id, duplicate: *duplicate })
    };
    reply.iter().map(read).collect()
}

/// Cuts one company's events, in their order, into runs of the script.
pub(crate) fn chunks<'a>(envelopes: &[(usize, &'a Envelope)]) -> Vec<Vec<(usize, &'a Envelope)>> {
    let mut chunks: Vec<Vec<_>> = Vec::new();
    let mut bytes = 0;
    for &(index, envelope) in envelopes {
        let size = envelope.tail().len();
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < defaults::CHUNK_EVENTS && bytes + size <= defaults::CHUNK_BYTES => {
                chunk.push((index, envelope));
                bytes += size;
            }
            _ => {
                chunks.push(vec![(index, envelope)]);
                bytes = size;
            }
        }
    }
    chunks
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use serde_json::value::RawValue;
    use shared::{CompanyId, EventType};

    use super::*;

    fn sizes(events: usize, bytes: usize) -> Vec<usize> {
        let data = RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap();
        let company = CompanyId::parse("acme").unwrap();
        let event_type = EventType::parse("a:b").unwrap();
        let envelope = Envelope::raw(&company, crate::new_event_id(), event_type, Utc::now(), &data).unwrap();
        let envelopes: Vec<_> = (0..events).map(|index| (index, &envelope)).collect();
        let chunks = chunks(&envelopes);
        assert!(chunks.iter().flatten().map(|(index, _)| *index).eq(0..events), "order is kept");
        chunks.iter().map(Vec::len).collect()
    }

    #[test]
    fn chunks_are_bounded_in_events_and_in_bytes() {
        assert_eq!(sizes(0, 1), [0; 0]);
        assert_eq!(sizes(100, 1), [100]);
        assert_eq!(sizes(201, 1), [100, 100, 1]);
        assert_eq!(sizes(20, 60_000), [8, 8, 4]);
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_an_io_error() {
        assert!(understand(&[("7-1".into(), false)], 2).unwrap_err().is_io_error());
        assert!(understand(&[("x".into(), false)], 1).unwrap_err().is_io_error());
        assert!(understand(&[("7-1".into(), true)], 1).unwrap()[0].duplicate);
    }
}
