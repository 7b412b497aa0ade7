//! The `gateway` binary seen from outside: what the contract promises to clients, services and operators.
//!
//! Each module is a topic. What must hold whatever carries the events is written once and runs on both backplanes
//! (`support::on_both_backplanes`); what a Redis can suffer is in `outage`, `channels` and `replicas`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a failed test shows the logs of the processes it ran")]

mod support;

mod after_a_while;
mod auth_frame;
mod capacity;
mod carry;
mod channels;
mod cluster;
mod command_line;
mod configuration;
mod contract;
mod cross_tenant;
mod delivery;
mod door;
mod drain;
mod expiry;
mod filter;
mod forged;
mod forged_claims;
mod frames;
mod handshake;
mod history;
mod key_set;
mod keys;
mod link;
mod metrics;
mod origin;
mod outage;
mod pages;
mod poll;
mod publish;
mod publish_limits;
mod quota;
mod rebalance;
mod redis_rights;
mod redis_tls;
mod replicas;
mod resume;
mod revocations;
mod revoked_everywhere;
mod secrets;
mod shutdown;
mod slow_reader;
mod sse;
mod sse_end;
mod storm;
mod tokens;
mod traces;
mod transports;
mod violations;
mod wiped;
