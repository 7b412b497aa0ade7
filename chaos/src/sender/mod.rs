//! Publishers: facts through the `publisher` crate, some through `POST /v1/events`, each entered into the ledger before
//! it is sent and again when its fate is known.

mod fate;
mod flow;
mod post;

pub(crate) use fate::{Sender, Setup};
pub(crate) use flow::Flow;
