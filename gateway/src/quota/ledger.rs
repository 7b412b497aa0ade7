//! What all replicas have, in Redis: tells it this replica's counts and asks about the others'.
//!
//! One task, one request at a time, so that counts are written in the order in which they changed. Questions that wait
//! together are asked together. Whatever goes wrong ends in the same place: nobody is asked for a while, then Redis is
//! told everything anew.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use redis::{FromRedisValue, Pipeline, RedisError, RedisResult, Script, aio::MultiplexedConnection};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tracing::{debug, info};

use super::{Ask, Full, Quota, counts::Ticket};
use crate::defaults::{
    QUOTA_BATCH, QUOTA_LEASE, QUOTA_PATIENCE, QUOTA_RENEWAL, QUOTA_RETRY, QUOTA_SETTLES, QUOTA_WRITES,
};

/// The hash tag keeps all of it in one slot.
pub(crate) const REPLICAS: &str = "gateway:{quota}:replicas";
const REPLICA: &str = "gateway:{quota}:of:";
/// The field that says that a hash holds everything; no subject has this name.
const WHOLE: &str = "whole";

struct Ledger {
    quota: Arc<Quota>,
    script: Script,
    /// This replica, for as long as it runs.
    me: String,
    /// Its hash.
    own: String,
}

/// Keeps the ledger, for ever.
pub(super) async fn keep(
    quota: Arc<Quota>,
    mut redis: watch::Receiver<Option<MultiplexedConnection>>,
    mut asks: mpsc::Receiver<Ask>,
) {
    let me = format!("{:016x}", rand::random::<u64>());
    let own = format!("{REPLICA}{me}");
    let ledger = Ledger { quota: quota.clone(), script: Script::new(include_str!("ask.lua")), me, own };
    loop {
        let connection = redis.borrow_and_update().clone();
        let replaced = match connection {
            Some(connection) => tokio::select! {
                Err(error) = ledger.serve(connection, &mut asks) => {
                    debug!(%error, "the ledger of connections is closed");
                    false
                }
                _ = redis.changed() => true,
            },
            None => false,
        };
        quota.reachable.store(false, Ordering::Release);
        quota.settled.store(false, Ordering::Release);
        quota.counts().stop_telling();
        // Who waits for an answer is let in without one.
        while asks.try_recv().is_ok() {}
        if !replaced {
            let _ = timeout(QUOTA_RETRY, redis.changed()).await;
        }
    }
}

impl Ledger {
    /// Answers over one connection until it fails.
    async fn serve(&self, mut redis: MultiplexedConnection, asks: &mut mpsc::Receiver<Ask>) -> RedisResult<Infallible> {
        self.tell_everything(&mut redis).await?;
        self.quota.reachable.store(true, Ordering::Release);
        let mut renewals = interval(QUOTA_RENEWAL);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut settles = std::pin::pin!(sleep(QUOTA_SETTLES));
        let mut batch = Vec::with_capacity(QUOTA_BATCH);
        loop {
            let settled = self.quota.settled.load(Ordering::Acquire);
            let doubts = settled && self.quota.counts().has_doubts();
            tokio::select! {
                biased;
                _ = asks.recv_many(&mut batch, QUOTA_BATCH) => self.answer(&mut redis, &mut batch).await?,
                () = self.quota.changed.notified() => {}
                _ = renewals.tick() => self.renew(&mut redis).await?,
                () = &mut settles, if !settled => self.quota.settled.store(true, Ordering::Release),
                () = std::future::ready(()), if doubts => self.settle_a_doubt(&mut redis).await?,
            }
            self.tell(&mut redis).await?;
        }
    }

    async fn answer(&self, redis: &mut MultiplexedConnection, batch: &mut Vec<Ask>) -> RedisResult<()> {
        // Who does not wait any more is in doubt, or has gone.
        batch.retain(|ask| !ask.answer.is_closed());
        let tickets: Vec<_> = batch.iter().map(|ask| ask.ticket.clone()).collect();
        if tickets.is_empty() {
            return Ok(());
        }
        let verdicts = self.ask(redis, &tickets).await?;
        for (ask, verdict) in batch.drain(..).zip(verdicts) {
            let _ = ask.answer.send(verdict);
        }
        Ok(())
    }

    /// Asks about a connection that was let in without an answer.
    async fn settle_a_doubt(&self, redis: &mut MultiplexedConnection) -> RedisResult<()> {
        let Some(ticket) = self.quota.counts().newest_doubt() else { return Ok(()) };
        // It stays in doubt until there is an answer.
        let verdicts = self.ask(redis, std::slice::from_ref(&ticket)).await?;
        match verdicts.first() {
            Some(Some(full)) => {
                info!(?full, "a connection that was let in without asking is one too many");
                self.quota.counts().condemn(&ticket);
            }
            _ => self.quota.counts().settle(&ticket),
        }
        Ok(())
    }

    /// Asks for each ticket whether there is room, and counts those for which there is.
    async fn ask(&self, redis: &mut MultiplexedConnection, tickets: &[Arc<Ticket>]) -> RedisResult<Vec<Option<Full>>> {
        let mut call = self.script.key(REPLICAS);
        call.key(&self.own).arg(REPLICA).arg(&self.me).arg(millis(QUOTA_LEASE));
        let mut written = HashMap::new();
        for ticket in tickets {
            call.arg(ticket.owner.subjects().count());
            for subject in ticket.owner.subjects() {
                let counts = self.quota.counts();
                // Those that were let in before it.
                let before = counts.counted(&subject).saturating_sub(u32::from(ticket.is_counted()));
                call.arg(subject.field()).arg(before).arg(self.quota.limit(&subject));
                written.entry(subject).or_insert(before);
            }
        }
        let verdicts: Vec<usize> = in_time(call.invoke_async(redis)).await?;
        let full = |(ticket, verdict): (&Arc<Ticket>, usize)| {
            verdict.checked_sub(1).and_then(|place| ticket.owner.subjects().nth(place)).map(|subject| subject.kind())
        };
        let verdicts: Vec<_> = tickets.iter().zip(verdicts).map(full).collect();
        let mut counts = self.quota.counts();
        for (ticket, _) in tickets.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_none()) {
            counts.count(ticket);
            for subject in ticket.owner.subjects() {
                written.entry(subject).and_modify(|count| *count += 1);
            }
        }
        for (subject, count) in written {
            counts.compare(subject, count);
        }
        Ok(verdicts)
    }

    /// Keeps the lease. A hash that was lost, to its time or to somebody's `FLUSHALL`, is written again.
    async fn renew(&self, redis: &mut MultiplexedConnection) -> RedisResult<()> {
        let mut pipeline = self.touched(Pipeline::new());
        let (whole,): (Option<u8>,) = query(pipeline.hget(&self.own, WHOLE), redis).await?;
        if whole.is_some() { Ok(()) } else { self.tell_everything(redis).await }
    }

    async fn tell_everything(&self, redis: &mut MultiplexedConnection) -> RedisResult<()> {
        self.quota.counts().begin_telling();
        let () = query(Pipeline::new().del(&self.own).ignore(), redis).await?;
        self.tell(redis).await?;
        let mut pipeline = Pipeline::new();
        pipeline.hset(&self.own, WHOLE, 1).ignore();
        query(&mut self.touched(pipeline), redis).await
    }

    /// Writes the counts that have changed, in pieces.
    async fn tell(&self, redis: &mut MultiplexedConnection) -> RedisResult<()> {
        loop {
            let changed = self.quota.counts().take_changed(QUOTA_WRITES);
            if changed.is_empty() {
                return Ok(());
            }
            let (gone, there): (Vec<_>, Vec<_>) = changed.into_iter().partition(|(_, count)| *count == 0);
            let mut pipeline = Pipeline::new();
            if !there.is_empty() {
                pipeline.cmd("HSET").arg(&self.own);
                for (subject, count) in &there {
                    pipeline.arg(subject.field()).arg(*count);
                }
                pipeline.ignore();
            }
            if !gone.is_empty() {
                let gone: Vec<_> = gone.iter().map(|(subject, _)| subject.field()).collect();
                pipeline.hdel(&self.own, &gone).ignore();
            }
            let () = query(&mut self.touched(pipeline), redis).await?;
        }
    }

    /// Says that the replica is there.
    fn touched(&self, mut pipeline: Pipeline) -> Pipeline {
        pipeline.sadd(REPLICAS, &self.me).ignore();
        for key in [REPLICAS, &self.own] {
            pipeline.cmd("PEXPIRE").arg(key).arg(millis(QUOTA_LEASE)).ignore();
        }
        pipeline
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

async fn query<T: FromRedisValue>(pipeline: &mut Pipeline, redis: &mut MultiplexedConnection) -> RedisResult<T> {
    in_time(pipeline.query_async(redis)).await
}

/// Nobody waits longer for the answer either.
async fn in_time<T>(request: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| RedisError::from(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"));
    timeout(QUOTA_PATIENCE, request).await.map_err(late)?
}
