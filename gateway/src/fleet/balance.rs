//! How many sessions to send to the others. Pure: loads in, a number out.

use super::Picture;
use crate::defaults::{FLEET_BUDGET, FLEET_CLEARLY_MORE, FLEET_REST_BEATS};

/// Whether a replica takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// It does.
    Open,
    /// It is not ready, or full.
    Closed,
    /// It goes away, and its sessions are about to come to the others.
    Draining,
}

/// What a replica holds and may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Connections that it holds.
    pub connections: u64,
    /// How many of them were asked to leave. They belong to the fleet until they have, but no more to this replica.
    pub moving: u64,
    /// Connections that it may hold.
    pub limit: u64,
    /// Whether it takes more.
    pub door: Door,
}

impl Load {
    /// Connections that are here to stay.
    fn settled(self) -> u64 {
        self.connections.saturating_sub(self.moving)
    }

    fn has_room(self) -> bool {
        self.door == Door::Open && self.connections < self.limit
    }
}

/// The replicas among which connections can be shared out: this one, and those that have room.
#[derive(Debug, Clone, Copy)]
struct Fleet {
    /// What each would hold if all held the same.
    mean: f64,
    /// How many more the others can take until they hold that.
    room: u64,
}

/// What this replica is about, from beat to beat.
#[derive(Debug)]
pub struct Balance {
    /// The share of its sessions that it may ask to leave in a beat.
    share: f64,
    /// For so many beats in a row it has to hold clearly more before it does anything.
    patience: u32,
    /// For how many it has.
    waited: u32,
    /// How many more sessions the present effort may move; `None` while there is none.
    effort: Option<u64>,
    /// For so many beats there is no new one.
    resting: u32,
}

impl Balance {
    /// One that is level.
    #[must_use]
    pub fn new(share: f64, patience: u32) -> Self {
        Self { share, patience, waited: 0, effort: None, resting: 0 }
    }

    /// Whether sessions are being moved.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.effort.is_some()
    }

    /// How many sessions to ask to leave now.
    ///
    /// An effort begins when this replica has held clearly more than the mean for a while, and ends when it is near it:
    /// in between nothing happens, so that replicas do not send sessions to and fro. While a replica drains, its sessions
    /// are still to come, and nobody knows the mean; nor while the picture has holes. A load balancer that sends everybody back can make no effort longer
    /// than its budget, and the next one has to wait.
    pub fn decide(&mut self, own: Load, picture: &Picture) -> u64 {
        self.resting = self.resting.saturating_sub(1);
        let Picture { others, is_complete: true } = picture else { return 0 };
        if others.iter().any(|load| load.door == Door::Draining) {
            return self.end();
        }
        let Some(fleet) = Fleet::of(own, others) else { return self.end() };
        let surplus = own.settled() as f64 - fleet.mean;
        let much = clearly_more(fleet.mean);
        if surplus <= if self.is_moving() { much / 3.0 } else { much } {
            return self.end();
        }
        self.waited += 1;
        if !self.is_moving() && (self.resting > 0 || self.waited <= self.patience) {
            return 0;
        }
        let left = *self.effort.get_or_insert((surplus * FLEET_BUDGET) as u64);
        let pace = (own.settled() as f64 * self.share).ceil() as u64;
        let moves = (surplus as u64).min(fleet.room).min(pace).min(left);
        self.effort = Some(left - moves);
        if left == moves {
            self.resting = FLEET_REST_BEATS;
            self.effort = None;
        }
        moves
    }

    fn end(&mut self) -> u64 {
        (self.effort, self.waited) = (None, 0);
        0
    }
}

impl Fleet {
    /// `None` when nobody else has room.
    fn of(own: Load, others: &[Load]) -> Option<Self> {
        let takers: Vec<&Load> = others.iter().filter(|load| load.has_room()).collect();
        if takers.is_empty() {
            return None;
        }
        let total: f64 = takers.iter().map(|load| load.connections as f64).sum();
        let mean = (own.connections as f64 + total) / (takers.len() + 1) as f64;
        let room = |load: &&Load| load.limit.min(mean as u64).saturating_sub(load.connections);
        Some(Self { mean, room: takers.iter().map(room).fold(0, u64::saturating_add) })
    }
}

/// So many above the mean are clearly more: a share of it, or what chance alone does not bring about.
fn clearly_more(mean: f64) -> f64 {
    (mean * FLEET_CLEARLY_MORE).max(2.0 * mean.sqrt())
}

#[cfg(test)]
mod tests;
