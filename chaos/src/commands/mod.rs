//! What can be asked for, one file for each. Each says whether every promise was kept.

mod bus;
mod cluster;
mod controls;
mod failover;
mod frame;
mod pause;
mod relocate;
mod restart;
mod rolling;
mod run;
mod short;
mod transports;

pub(crate) use bus::bus;
pub(crate) use cluster::cluster;
pub(crate) use controls::controls;
pub(crate) use failover::failover;
pub(crate) use pause::pause;
pub(crate) use relocate::relocate;
pub(crate) use restart::restart;
pub(crate) use rolling::rolling;
pub(crate) use run::run;
pub(crate) use short::short;
pub(crate) use transports::transports;
