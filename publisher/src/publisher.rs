//! The publisher: seals events, groups them by company, and sees each group through its attempts.

use std::{collections::HashMap, fmt, io, sync::Arc, time::Duration};

use chrono::Utc;
use deadpool_redis::redis::{RedisError, RedisResult, aio::MultiplexedConnection};
use futures_util::{StreamExt, stream};
use shared::{CompanyId, Cursor, Envelope, Event, EventId, keys, slot};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, Span, debug, debug_span, field};
use uuid::Uuid;

use crate::{
    PublishError, PublisherBuilder, defaults,
    error::Verdict,
    retry::Attempts,
    revoke::RevokeScript,
    script::{PublishScript, chunks},
    ways::Ways,
};

/// Where an event is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its place in the company's log.
    pub id: Cursor,
    /// The event id was published before, within 24 h: `id` is where the first one went, this one was not stored.
    ///
    /// Also true when an earlier attempt of the same call was executed and its answer was lost.
    pub duplicate: bool,
}

/// Publishes events to Redis. Cheap to clone; one per service is enough.
///
/// ```
/// use publisher::{PublishError, Publisher, shared::{CompanyId, events::FacturePaid}};
///
/// async fn tell(publisher: &Publisher, company: &CompanyId, paid: FacturePaid) -> Result<(), PublishError> {
///     let published = publisher.publish(company, paid).await?;
///     println!("stored as {}", published.id);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Publisher(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) ways: Ways,
    pub(crate) script: PublishScript,
    pub(crate) revoke: RevokeScript,
    pub(crate) deadline: Duration,
}

/// One run of a script. Carried out twice, it must do no harm.
pub(crate) trait Request: Sync {
    type Answer: Send;

    /// Where its keys are, in a cluster.
    fn slot(&self) -> u16;

    fn run(&self, connection: &mut MultiplexedConnection) -> impl Future<Output = RedisResult<Self::Answer>> + Send;
}

/// Events of one company, stored at once or not at all.
struct Chunk<'a> {
    script: &'a PublishScript,
    events: &'a [&'a Envelope],
}

impl Request for Chunk<'_> {
    type Answer = Vec<Published>;

    fn slot(&self) -> u16 {
        slot(&keys::channel(self.events[0].company()))
    }

    async fn run(&self, connection: &mut MultiplexedConnection) -> RedisResult<Vec<Published>> {
        self.script.run(connection, self.events).await
    }
}

/// A new event id: a UUID of version 7, which begins with the time.
///
/// ```
/// assert_ne!(publisher::new_event_id(), publisher::new_event_id());
/// ```
#[must_use]
pub fn new_event_id() -> EventId {
    EventId::parse(&Uuid::now_v7().to_string()).expect("a UUID is a valid event id")
}

impl Publisher {
    /// A publisher with the default settings. Connects nothing yet: Redis need not be up. See
    /// [`Endpoint`](crate::Endpoint) for the forms of the URL.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use publisher::{PublishError, Publisher};
    ///
    /// assert!(Publisher::connect("redis://127.0.0.1:6379").is_ok());
    /// assert!(matches!(Publisher::connect("postgres://127.0.0.1"), Err(PublishError::Configuration(_))));
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PublishError::Configuration`], when the URL makes no sense.
    pub fn connect(url: &str) -> Result<Self, PublishError> {
        Self::builder(url).build()
    }

    /// A publisher with settings of its own.
    pub fn builder(url: &str) -> PublisherBuilder {
        PublisherBuilder::new(url)
    }

    /// Publishes one event under a new event id.
    ///
    /// Whoever means to call again after an error makes the id first, with [`new_event_id`], and calls
    /// [`publish_with_id`](Self::publish_with_id) each time.
    ///
    /// # Errors
    /// See [`PublishError`]: each says whether the event is stored.
    pub async fn publish<E: Event>(&self, company: &CompanyId, event: E) -> Result<Published, PublishError> {
        self.publish_with_id(company, new_event_id(), event).await
    }

    /// Publishes one event under an event id of the caller's: once in 24 h, however often it is called.
    ///
    /// The id alone counts; a second event under the same id is not looked at. Name it after the fact where there is a
    /// name, else make it with [`new_event_id`] before the first attempt.
    ///
    /// ```
    /// # use publisher::{PublishError, Publisher, shared::{CompanyId, EventId, events::DevisSigned}};
    /// async fn signed(publisher: &Publisher, company: &CompanyId, quote: DevisSigned) -> Result<(), PublishError> {
    ///     let id = EventId::parse(&format!("devis-signed:{}", quote.devis_id)).expect("ids of quotes are short and plain");
    ///     publisher.publish_with_id(company, id, quote).await?; // a second click publishes nothing twice
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`]: each says whether the event is stored.
    pub async fn publish_with_id<E: Event>(
        &self,
        company: &CompanyId,
        event_id: EventId,
        event: E,
    ) -> Result<Published, PublishError> {
        let envelope = Envelope::typed(company, event_id, Utc::now(), &event)?;
        drop(event);
        let span = span_of(&[&envelope]);
        #[cfg(feature = "otel")]
        let envelope = crate::trace::traced(envelope, &span);
        let published = self.publish_chunk(&[&envelope], self.deadline(), span).await?;
        Ok(published[0])
    }

    /// Publishes a batch, of any companies; the results are in the order given.
    ///
    /// Events of a company are stored in the order given, up to 100 of them at once or not at all; companies are
    /// served side by side. See [`Batch`](crate::Batch) for a way to write one.
    ///
    /// # Errors
    /// The first that was met, in the order given. Others of the batch may be stored: give the same envelopes again.
    pub async fn publish_envelopes(&self, envelopes: &[Envelope]) -> Result<Vec<Published>, PublishError> {
        let deadline = self.deadline();
        let mut companies: Vec<Vec<(usize, &Envelope)>> = Vec::new();
        let mut place = HashMap::new();
        for (index, envelope) in envelopes.iter().enumerate() {
            let company = *place.entry(envelope.company()).or_insert_with(|| {
                companies.push(Vec::new());
                companies.len() - 1
            });
            companies[company].push((index, envelope));
        }
        let runs: Vec<_> = companies.iter().map(|company| self.publish_company(company, deadline)).collect();
        let mut runs = stream::iter(runs).buffer_unordered(defaults::BATCH_CONCURRENCY);
        let mut results: Vec<Option<Published>> = vec![None; envelopes.len()];
        let mut first_error: Option<(usize, PublishError)> = None;
        while let Some(run) = runs.next().await {
            match run {
                Ok(published) => published.into_iter().for_each(|(index, one)| results[index] = Some(one)),
                Err(error) if first_error.as_ref().is_none_or(|first| error.0 < first.0) => first_error = Some(error),
                Err(_) => {}
            }
        }
        match first_error {
            Some((_, error)) => Err(error),
            None => Ok(results.into_iter().map(|one| one.expect("every event is in one run")).collect()),
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.0.deadline
    }

    /// One company's part of a batch, chunk after chunk; an error comes with the place of its chunk's first event.
    async fn publish_company(
        &self,
        envelopes: &[(usize, &Envelope)],
        deadline: Instant,
    ) -> Result<Vec<(usize, Published)>, (usize, PublishError)> {
        let mut results = Vec::with_capacity(envelopes.len());
        for chunk in chunks(envelopes) {
            let events: Vec<&Envelope> = chunk.iter().map(|(_, envelope)| *envelope).collect();
            let published = self.publish_chunk(&events, deadline, span_of(&events)).await;
            let published = published.map_err(|error| (chunk[0].0, error))?;
            results.extend(chunk.iter().map(|(index, _)| *index).zip(published));
        }
        Ok(results)
    }

    /// One chunk of one company, until it is stored, refused, or out of time.
    async fn publish_chunk(
        &self,
        chunk: &[&Envelope],
        deadline: Instant,
        span: Span,
    ) -> Result<Vec<Published>, PublishError> {
        self.until_done(&Chunk { script: &self.0.script, events: chunk }, deadline).instrument(span).await
    }

    /// One request, until it is carried out, refused, or out of time.
    pub(crate) async fn until_done<R: Request>(
        &self,
        request: &R,
        deadline: Instant,
    ) -> Result<R::Answer, PublishError> {
        let mut attempts = Attempts::until(deadline);
        loop {
            let (verdict, error) = match self.attempt(request, attempts.deadline()).await {
                Ok(answer) => {
                    Span::current().record("retries", attempts.failed());
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            debug!(?verdict, %error, "attempt failed");
            sleep(attempts.after(verdict, error)?).await;
        }
    }

    async fn attempt<R: Request>(&self, request: &R, deadline: Instant) -> Result<R::Answer, (Verdict, RedisError)> {
        let (ways, slot) = (&self.0.ways, request.slot());
        let unconnected = |error: RedisError| {
            let _learnt = ways.judge(slot, &error);
            (Verdict::of_connecting(&error), error)
        };
        let lines = within(deadline, ways.lines(slot)).await.map_err(unconnected)?;
        let mut lease = within(deadline, lines.lease()).await.map_err(unconnected)?;
        let answer = within(deadline, request.run(&mut lease.connection)).await;
        answer.map_err(|error| {
            let verdict = ways.judge(slot, &error);
            if verdict.spoils_connection() {
                lines.discard(&lease);
            }
            (verdict, error)
        })
    }
}

/// The span of one chunk.
fn span_of(chunk: &[&Envelope]) -> Span {
    let first = chunk[0];
    debug_span!(
        "publish",
        company = %first.company(),
        event_id = %first.event_id(),
        event_type = %first.event_type(),
        events = chunk.len(),
        retries = field::Empty,
    )
}

/// Bounds one step; what does not end in time is an I/O error like any other timeout.
async fn within<T>(deadline: Instant, step: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| RedisError::from(io::Error::new(io::ErrorKind::TimedOut, "the deadline passed"));
    timeout_at(deadline, step).await.map_err(late)?
}

impl fmt::Debug for Publisher {
    /// Without the URL: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}
