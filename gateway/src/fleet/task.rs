use std::{sync::Arc, time::Instant};

use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use super::{Balance, Door, Load, Picture, Report, Sightings};
use crate::{
    backplane::{Backplane, ReadError},
    defaults::{FLEET_BEAT, FLEET_PATIENCE},
    dispatcher::{DispatcherHandle, FromWorker, Moves},
    health::{Health, NotReady},
    metrics::Metrics,
};

/// What the fleet's task works with.
struct Task {
    /// This process, until it ends.
    replica: String,
    beat: u64,
    backplane: Arc<dyn Backplane>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    sightings: Sightings,
    balance: Balance,
    /// Whether sessions are moved at all.
    on: bool,
    /// Redis does not let this user see the fleet; said once.
    forbidden: bool,
}

/// Tells the others what this replica holds and moves sessions to them when that is clearly more, for as long as the
/// program runs. `percent` of its sessions may be moved in a second; with 0 it only reports. The pace is that of the
/// decision as well: the less is moved at once, the longer it waits whether the others become level by themselves.
pub async fn run(
    backplane: Arc<dyn Backplane>,
    dispatcher: DispatcherHandle,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    percent: u8,
) {
    let share = f64::from(percent) / 100.0 * FLEET_BEAT.as_secs_f64();
    let patience = FLEET_PATIENCE.div_duration_f64(FLEET_BEAT) / f64::from(percent.max(1));
    let mut task = Task {
        replica: format!("{:016x}", rand::random::<u64>()),
        beat: 0,
        backplane,
        health: health.clone(),
        metrics,
        sightings: Sightings::default(),
        balance: Balance::new(share, patience as u32),
        on: percent > 0,
        forbidden: false,
    };
    let mut beats = interval(FLEET_BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beats.tick() => {}
            // Nobody is to send sessions here.
            () = health.until_draining(), if !health.is_draining() => {}
        }
        if let Some(moves) = task.beat().await {
            // The dispatcher lives as long as the program.
            let _ = dispatcher.send(FromWorker::Move(moves)).await;
        }
    }
}

impl Task {
    async fn beat(&mut self) -> Option<Moves> {
        self.beat += 1;
        let health = self.health.clone();
        let own = Load {
            connections: health.connections(),
            moving: health.moving(),
            limit: health.limit(),
            door: match health.ready() {
                Ok(()) => Door::Open,
                Err(NotReady::Draining) => Door::Draining,
                Err(NotReady::Starting | NotReady::Full) => Door::Closed,
            },
        };
        let picture = self.exchange(own).await;
        let was_moving = self.balance.is_moving();
        // An old picture is none, and in a failover nobody needs to be moved as well.
        let steady = !health.is_draining() && !health.is_failing_over();
        let moves = match &picture {
            Some(picture) if steady && self.on => self.balance.decide(own, picture),
            _ => 0,
        };
        self.show(own, picture.as_ref(), moves > 0);
        match (was_moving, self.balance.is_moving()) {
            (false, true) => {
                self.say(own, picture.as_ref(), "holds clearly more than the others; moves sessions to them")
            }
            (true, false) => self.say(own, picture.as_ref(), "moves no more sessions to the others"),
            _ => {}
        }
        let share = moves as f64 / own.connections.saturating_sub(own.moving).max(1) as f64;
        (moves > 0).then_some(Moves::Some { share, within: FLEET_BEAT })
    }

    /// The others, as of now; `None` when they cannot be seen.
    async fn exchange(&mut self, own: Load) -> Option<Picture> {
        let report = Report { beat: self.beat, load: own }.encode();
        let dead = self.sightings.dead(Instant::now());
        let exchange = self.backplane.exchange_reports(self.replica.clone(), report, dead);
        match timeout(FLEET_BEAT, exchange).await {
            Ok(Ok(mut reports)) => {
                reports.retain(|(replica, _)| *replica != self.replica);
                Some(self.sightings.look(&reports, Instant::now()))
            }
            Ok(Err(ReadError::Unavailable(reason))) if reason.contains("NOPERM") => {
                if !std::mem::replace(&mut self.forbidden, true) {
                    warn!(
                        reason,
                        "the other replicas cannot be seen; the gateway's user needs +hset +hgetall +hdel +pexpire ~gateway:*"
                    );
                }
                None
            }
            Ok(Err(_)) | Err(_) => None,
        }
    }

    fn say(&self, own: Load, picture: Option<&Picture>, what: &'static str) {
        let others: Vec<u64> =
            picture.map_or(vec![], |picture| picture.others.iter().map(|load| load.connections).collect());
        info!(connections = own.connections, moving = own.moving, ?others, "{what}");
    }

    fn show(&self, own: Load, picture: Option<&Picture>, moving: bool) {
        let fleet = &self.metrics.fleet;
        fleet.known.set(i64::from(picture.is_some_and(|picture| picture.is_complete)));
        fleet.rebalancing.set(i64::from(moving));
        let Some(picture) = picture else { return };
        let open = || picture.others.iter().chain([&own]).filter(|load| load.door == Door::Open);
        fleet.replicas.set(open().count() as i64);
        fleet.connections.set(open().fold(0, |sum: i64, load| sum.saturating_add_unsigned(load.connections)));
    }
}
