//! Series that are there from the start: `rate()` does not see the first step of one that begins with it.

use prometheus::IntCounterVec;
use shared::CloseCode;

use super::Metrics;

/// Reasons of refusals; others may join them.
const REFUSALS: [&str; 11] = [
    "token_missing",
    "token_malformed",
    "token_signature",
    "token_expired",
    "token_immature",
    "token_audience",
    "bad_request",
    "forbidden",
    "origin_not_allowed",
    "overloaded",
    "draining",
];
/// Why announcements are dropped.
const DROPS: [&str; 3] = ["overrun", "channel", "malformed"];
/// What becomes of a cursor.
const OUTCOMES: [&str; 4] = ["fresh", "recovered", "lost", "deferred"];
/// Frames that are not understood.
const MISTAKES: [&str; 2] = ["unknown_frame", "binary_not_supported"];
/// What becomes of a publish.
const PUBLISHED: [&str; 3] = ["stored", "duplicate", "failed"];

impl Metrics {
    pub(super) fn begin_series(&self) {
        begin(&self.rejected, &REFUSALS);
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
