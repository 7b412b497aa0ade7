//! A batch, written event by event.

use std::ops::Deref;

use chrono::Utc;
use shared::{CompanyId, Envelope, EnvelopeError, Event};

use crate::new_event_id;

/// Typed events on their way to [`publish_envelopes`](crate::Publisher::publish_envelopes), each with its event id: the
/// same batch given again stores nothing twice.
///
/// ```
/// # use publisher::{Batch, shared::{CompanyId, Event, events::*}};
/// # fn example<E: Event>(acme: CompanyId, durand: CompanyId, signed: E, paid: E) -> Result<(), Box<dyn std::error::Error>> {
/// let batch = Batch::new().add(&acme, signed)?.add(&durand, paid)?;
/// # let _ = async |publisher: publisher::Publisher|
/// publisher.publish_envelopes(&batch).await
/// # ; Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Batch(Vec<Envelope>);

impl Batch {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Seals an event under a new event id and adds it.
    ///
    /// # Errors
    /// When the event cannot be published: type, JSON or size.
    pub fn add<E: Event>(mut self, company: &CompanyId, event: E) -> Result<Self, EnvelopeError> {
        self.0.push(Envelope::typed(company, new_event_id(), Utc::now(), &event)?);
        Ok(self)
    }
}

impl Deref for Batch {
    type Target = [Envelope];

    fn deref(&self) -> &[Envelope] {
        &self.0
    }
}
