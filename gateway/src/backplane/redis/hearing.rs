use std::sync::Arc;

use bytes::Bytes;
use shared::keys;

use super::{ledger::Ledger, probe::Ear};
use crate::backplane::SignalSender;

/// Whom a message is for. Never waits.
pub(super) struct Hearing {
    pub(super) ear: Ear,
    pub(super) ledger: Arc<Ledger>,
    pub(super) signals: SignalSender,
}

impl Hearing {
    pub(super) fn take(&self, channel: &str, payload: &[u8]) {
        if self.ear.hear(channel, payload) || self.ledger.hear(channel, payload) {
            return;
        }
        match keys::company_of_channel(channel) {
            Some(company) => self.signals.announce(company, Bytes::copy_from_slice(payload)),
            None => self.signals.drop_noise(),
        }
    }
}
