//! The publisher against a real Redis, with faults.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod cluster;
mod faults;
mod log;
mod origin;
mod overload;
mod revoke;
mod rights;
mod script;
mod sentinel;
mod support;
