//! The backplane of a single replica: logs in memory, gone with the process. It behaves as the Redis one does.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use publisher::{PublishError, Published};
use shared::{CompanyId, Cursor, Envelope, EventId, Revocation};

use super::{Backplane, Interests, LogSlice, ReadError, Scope, Signal, SignalSender};
use crate::{
    auth::Revocations,
    defaults::{EMBEDDED_EVENT_IDS, EMBEDDED_LOG_EVENTS, EMBEDDED_MAX_AGE, MAX_REVOCATIONS},
    delivery::Delivery,
};

/// Logs in memory.
pub struct Embedded {
    logs: Mutex<HashMap<CompanyId, Log>>,
    signals: SignalSender,
    interests: Arc<Interests>,
    revocations: Arc<Revocations>,
}

/// One company's log.
struct Log {
    top: Cursor,
    records: VecDeque<(Cursor, Bytes)>,
    /// Event ids that were published, and in which order and when, to forget the oldest.
    known: HashMap<EventId, Cursor>,
    known_order: VecDeque<(Instant, EventId)>,
    touched: Instant,
}

impl Embedded {
    /// An empty backplane that is up at once. Must be called within a runtime.
    #[must_use]
    pub fn start(signals: SignalSender, revocations: Arc<Revocations>) -> Arc<Self> {
        let interests = Arc::new(Interests::default());
        tokio::spawn(confirm(interests.clone(), signals.clone()));
        Arc::new(Self { logs: Mutex::default(), signals, interests, revocations })
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<CompanyId, Log>> {
        // Nothing panics while the lock is held; and if it did, the logs would still be whole.
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends and announces under one lock, so that announcements are in the log's order.
    fn append(&self, envelope: &Envelope) -> Published {
        let now = Instant::now();
        let mut logs = self.logs();
        let log = match logs.get_mut(envelope.company()) {
            Some(log) if now.duration_since(log.touched) <= EMBEDDED_MAX_AGE => log,
            _ => {
                logs.retain(|_, log| now.duration_since(log.touched) <= EMBEDDED_MAX_AGE);
                logs.entry(envelope.company().clone()).or_insert_with(|| Log::born(now))
            }
        };
        log.forget(now);
        if let Some(&id) = log.known.get(envelope.event_id()) {
            return Published { id, duplicate: true };
        }
        let id = log.append(envelope, now);
        if let Some((_, record)) = log.records.back() {
            self.signals.announce(envelope.company().clone(), record.clone());
        }
        Published { id, duplicate: false }
    }

    fn slice(&self, company: &CompanyId, pick: impl FnOnce(&VecDeque<(Cursor, Bytes)>) -> usize) -> LogSlice {
        let logs = self.logs();
        let Some(log) = logs.get(company).filter(|log| log.touched.elapsed() <= EMBEDDED_MAX_AGE) else {
            return LogSlice { top: None, events: vec![] };
        };
        let from = pick(&log.records);
        let events = log.records.iter().skip(from).filter_map(|(_, record)| Delivery::decode(record).ok()).collect();
        LogSlice { top: Some(log.top), events }
    }
}

impl Log {
    fn born(now: Instant) -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let top = Cursor { epoch, seq: 0 };
        Self { top, records: VecDeque::new(), known: HashMap::new(), known_order: VecDeque::new(), touched: now }
    }

    fn append(&mut self, envelope: &Envelope, now: Instant) -> Cursor {
        self.top.seq += 1;
        self.touched = now;
        self.records.push_back((self.top, Bytes::from(envelope.record(self.top))));
        if self.records.len() > EMBEDDED_LOG_EVENTS {
            self.records.pop_front();
        }
        self.known.insert(envelope.event_id().clone(), self.top);
        self.known_order.push_back((now, envelope.event_id().clone()));
        self.top
    }

    /// Forgets event ids that are too old or too many.
    fn forget(&mut self, now: Instant) {
        while let Some((since, id)) = self.known_order.front() {
            if self.known_order.len() < EMBEDDED_EVENT_IDS && now.duration_since(*since) <= EMBEDDED_MAX_AGE {
                break;
            }
            self.known.remove(id);
            self.known_order.pop_front();
        }
    }
}

/// Every announcement reaches the dispatcher; being subscribed only has to be confirmed.
async fn confirm(interests: Arc<Interests>, signals: SignalSender) {
    signals.send(Signal::Up { moved: false, scope: Scope::All }).await;
    loop {
        let wanted = interests.take().await.into_iter().filter(|(_, wanted)| *wanted);
        signals.send(Signal::Subscribed(wanted.map(|(company, _)| company).collect())).await;
    }
}

impl Backplane for Embedded {
    fn publish(&self, envelopes: Vec<Envelope>) -> BoxFuture<'_, Result<Vec<Published>, PublishError>> {
        Box::pin(async move { Ok(envelopes.iter().map(|envelope| self.append(envelope)).collect()) })
    }

    fn revoke(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), PublishError>> {
        Box::pin(async move {
            if self.revocations.sweep() >= MAX_REVOCATIONS {
                return Err(PublishError::Full(io::Error::from(io::ErrorKind::StorageFull).into()));
            }
            self.revocations.add([revocation]);
            Ok(())
        })
    }

    fn read_from(&self, company: CompanyId, from: Cursor) -> BoxFuture<'_, Result<LogSlice, ReadError>> {
        Box::pin(async move { Ok(self.slice(&company, |records| records.partition_point(|(id, _)| *id < from))) })
    }

    fn read_newest(&self, company: CompanyId, limit: usize) -> BoxFuture<'_, Result<LogSlice, ReadError>> {
        Box::pin(async move { Ok(self.slice(&company, |records| records.len().saturating_sub(limit))) })
    }

    fn interests(&self) -> Arc<Interests> {
        self.interests.clone()
    }
}
