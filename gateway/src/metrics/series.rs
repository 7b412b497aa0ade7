//! Series that are there from the start: `rate()` does not see the first step of one that begins with it.

use prometheus::IntCounterVec;
use shared::CloseCode;

use super::Metrics;

/// Why tokens are refused, be it that they open something or renew what is open.
const TOKENS: [&str; 10] = [
    "token_missing",
    "token_ambiguous",
    "token_malformed",
    "token_signature",
    "token_unknown_key",
    "token_expired",
    "token_immature",
    "token_audience",
    "token_revoked",
    "token_no_keys",
];
/// Why else requests are; others may join them.
const REFUSALS: [&str; 9] = [
    "bad_request",
    "forbidden",
    "origin_not_allowed",
    "overloaded",
    "draining",
    "too_many_connections",
    "slow_request",
    "head_too_large",
    "malformed",
];
/// Why publishes are; others may join them.
const UNPUBLISHED: [&str; 5] =
    ["invalid_event", "too_many_events", "payload_too_large", "too_many_publishes", "unavailable"];
/// Why announcements are dropped.
const DROPS: [&str; 3] = ["overrun", "channel", "malformed"];
/// What becomes of a cursor.
const OUTCOMES: [&str; 4] = ["fresh", "recovered", "lost", "deferred"];
/// Frames that are not understood.
const MISTAKES: [&str; 3] = ["unknown_frame", "binary_not_supported", "frame_rate"];
/// What becomes of a publish.
const PUBLISHED: [&str; 3] = ["stored", "duplicate", "failed"];

impl Metrics {
    pub(super) fn begin_series(&self) {
        begin(&self.rejected, &TOKENS);
        begin(&self.rejected, &REFUSALS);
        begin(&self.publishes_refused, &UNPUBLISHED);
        begin(&self.renewals, &TOKENS);
        begin(&self.renewals, &["ok", "somebody_else"]);
        begin(&self.revoked, &["kept", "failed"]);
        begin(&self.key_fetches, &["ok", "failed"]);
        begin(&self.backplane_dropped, &DROPS);
        begin(&self.admitted, &OUTCOMES);
        begin(&self.client_errors, &MISTAKES);
        begin(&self.published, &PUBLISHED);
        begin(&self.closed, &["none"]);
        for code in CloseCode::ALL {
            begin(&self.closed, &[&code.code().to_string()]);
        }
    }
}

/// Makes a family's series for these values of its label.
pub(super) fn begin(family: &IntCounterVec, values: &[&str]) {
    values.iter().for_each(|value| drop(family.with_label_values(&[value])));
}
