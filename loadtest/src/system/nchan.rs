//! nchan: the token goes with the upgrade, events come by `POST` to nginx, which passes them through Redis.

use anyhow::{Context, ensure};
use async_trait::async_trait;
use futures_util::future::try_join_all;
use reqwest::{Client, Url};
use shared::Cursor;

use super::{Dialect, Greeting, Heard, Outlet, Parcel, Ticket, upgrade};
use crate::defaults::HTTP_TIMEOUT;

/// The protocol: there is none past the upgrade.
pub(super) struct Nchan;

impl Dialect for Nchan {
    fn request(&self, host: &str, ticket: &Ticket) -> Vec<u8> {
        upgrade(host, "/subscribe", &format!("Authorization: Bearer {}\r\n", ticket.token))
    }

    fn greet(&self, _: &Ticket, _: Option<&[u8]>) -> Greeting {
        Greeting::READY
    }

    fn hear<'a>(&self, frame: &'a [u8], each: &mut dyn FnMut(Heard<'a>)) {
        each(Heard::Event(frame));
    }
}

/// Its publisher's endpoint.
pub(super) struct Endpoint {
    client: Client,
    url: Url,
}

impl Endpoint {
    pub(super) fn new(host: &str) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(HTTP_TIMEOUT).no_proxy().build()?;
        Ok(Self { client, url: format!("http://{host}/publish").parse()? })
    }

    async fn post(&self, parcel: &Parcel) -> anyhow::Result<()> {
        let mut url = self.url.clone();
        url.set_query(Some(&format!("company={}", parcel.room)));
        let answer = self.client.post(url).body(parcel.json.clone()).send().await.context("nchan")?;
        ensure!(answer.status().is_success(), "nchan answers {}", answer.status());
        // Read to the end, so that the connection is used again.
        answer.bytes().await.context("nchan")?;
        Ok(())
    }
}

#[async_trait]
impl Outlet for Endpoint {
    /// One after the other within a room, the rooms beside each other.
    async fn publish(&mut self, parcels: &[Parcel]) -> anyhow::Result<Vec<Cursor>> {
        let mut rooms: Vec<Vec<&Parcel>> = Vec::new();
        for parcel in parcels {
            match rooms.iter_mut().find(|room| room[0].room == parcel.room) {
                Some(room) => room.push(parcel),
                None => rooms.push(vec![parcel]),
            }
        }
        let this = &*self;
        try_join_all(rooms.iter().map(async |room| {
            for parcel in room {
                this.post(parcel).await?;
            }
            anyhow::Ok(())
        }))
        .await?;
        Ok(Vec::new())
    }
}
