//! How events get into a system.

use std::time::Duration;

use anyhow::bail;
use async_trait::async_trait;
use chrono::Utc;
use serde_json::value::RawValue;
use shared::{CompanyId, Cursor, Envelope, EventId, EventType};
use tokio::time::sleep;

use crate::{clock::now_us, defaults::BACKOFF, target::Target};

/// Attempts at one batch before the measurement is given up.
const ATTEMPTS: u32 = 5;

/// An event on its way.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    /// Where it goes.
    pub(crate) room: CompanyId,
    /// Its data: a JSON object that begins with its marks.
    pub(crate) json: String,
}

/// A way to publish.
#[async_trait]
pub(crate) trait Outlet: Send {
    /// Publishes in order, and comes back when all of it is confirmed as far as the system confirms anything. The places
    /// in the rooms' logs come back where there are logs; else nothing.
    async fn publish(&mut self, parcels: &[Parcel]) -> anyhow::Result<Vec<Cursor>>;

    /// Bytes that stand around the data when an application gets the event. Events are padded to one size with them.
    fn around(&self) -> anyhow::Result<usize> {
        Ok(0)
    }
}

/// To the gateway, over Redis or its own endpoint.
pub(crate) struct ToGateway {
    target: Target,
    event_type: EventType,
    /// Makes the ids of this run its own.
    run: u64,
    sent: u64,
}

impl ToGateway {
    pub(crate) fn new(target: Target) -> anyhow::Result<Self> {
        Ok(Self { target, event_type: EventType::parse("load:tick")?, run: now_us(), sent: 0 })
    }

    fn envelope(&self, parcel: &Parcel, number: u64) -> anyhow::Result<Envelope> {
        let data = RawValue::from_string(parcel.json.clone())?;
        let event_id = EventId::parse(&format!("load-{}-{number}", self.run))?;
        Ok(Envelope::raw(&parcel.room, event_id, self.event_type.clone(), Utc::now(), &data)?)
    }
}

#[async_trait]
impl Outlet for ToGateway {
    async fn publish(&mut self, parcels: &[Parcel]) -> anyhow::Result<Vec<Cursor>> {
        let numbers = self.sent..;
        self.sent += parcels.len() as u64;
        let envelopes = parcels
            .iter()
            .zip(numbers)
            .map(|(parcel, number)| self.envelope(parcel, number))
            .collect::<Result<Vec<_>, _>>()?;
        let mut pause: Duration = BACKOFF.0;
        for attempt in 1.. {
            match self.target.publish(&envelopes).await {
                Ok(stored) => return Ok(stored.into_iter().map(|stored| stored.id).collect()),
                Err(error) if error.retryable && attempt < ATTEMPTS => sleep(error.retry_after.unwrap_or(pause)).await,
                Err(error) => bail!("cannot publish: {}", error.message),
            }
            pause *= 2;
        }
        unreachable!("the last attempt returns")
    }

    fn around(&self) -> anyhow::Result<usize> {
        let parcel = Parcel { room: CompanyId::parse("load-00000")?, json: "{}".to_owned() };
        let place = Cursor { epoch: 1_763_800_000_000, seq: 1_000 };
        Ok(self.envelope(&parcel, 0)?.frame(place).len() - parcel.json.len())
    }
}
