use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::*;

/// As by default, over a beat of two seconds.
const SHARE: f64 = 0.02;
const PATIENCE: u32 = 15;

fn load(connections: u64) -> Load {
    Load { connections, moving: 0, limit: 10_000, door: Door::Open }
}

/// A picture without holes.
fn whole(others: &[Load]) -> Picture {
    Picture { others: others.to_vec(), is_complete: true }
}

/// One that does not wait.
fn eager() -> Balance {
    Balance::new(SHARE, 0)
}

fn first(own: u64, others: &[Load]) -> u64 {
    eager().decide(load(own), &whole(others))
}

#[test]
fn a_replica_that_holds_clearly_more_moves_a_small_share() {
    assert_eq!(first(4_000, &[load(4_000), load(4_000), load(0)]), 80);
    assert_eq!(first(4_000, &[load(4_000), load(3_900)]), 0, "about the same");
    assert_eq!(first(3_000, &[load(4_000), load(0)]), 60, "so does one that is not the fullest");
    assert_eq!(first(100, &[load(4_000), load(0)]), 0, "and one that holds less does not");
    assert_eq!(first(13, &[load(7)]), 0, "with so few, it is chance");
    let leaving = Load { moving: 1_000, ..load(4_000) };
    assert_eq!(eager().decide(leaving, &whole(&[load(4_000), load(4_000), load(0)])), 0, "they are on their way");
    assert_eq!(first(3_000, &[leaving, leaving, load(0)]), 0, "those of others too");
}

#[test]
fn who_takes_nothing_is_no_room() {
    let closed = Load { door: Door::Closed, ..load(0) };
    let full = Load { limit: 100, ..load(100) };
    assert_eq!(first(4_000, &[]), 0, "alone");
    assert_eq!(first(4_000, &[closed, full]), 0);
    assert_eq!(first(4_000, &[Load { limit: 15, ..load(10) }]), 5, "no more than fit");
    // The closed one's emptiness makes nobody look fuller than they are.
    assert_eq!(first(4_000, &[closed, load(3_900)]), 0);
}

#[test]
fn an_effort_goes_on_until_it_is_near_the_mean_and_no_further() {
    let mut balance = eager();
    assert!(balance.decide(load(1_300), &whole(&[load(700)])) > 0);
    assert!(balance.decide(load(1_100), &whole(&[load(900)])) > 0, "it would not have begun here");
    assert_eq!(balance.decide(load(1_040), &whole(&[load(960)])), 0);
    assert!(!balance.is_moving());
    assert_eq!(balance.decide(load(1_100), &whole(&[load(900)])), 0, "nor does it begin again");
}

#[test]
fn it_waits_whether_the_others_become_level_by_themselves() {
    let mut balance = Balance::new(SHARE, 3);
    let empty = [load(1_000), load(0)];
    for _ in 0..2 {
        for _ in 0..3 {
            assert_eq!(balance.decide(load(1_000), &whole(&empty)), 0);
        }
        assert_eq!(balance.decide(load(1_000), &whole(&[load(1_000), load(1_000)])), 0, "they did");
    }
    let moves: Vec<u64> = (0..5).map(|_| balance.decide(load(1_000), &whole(&empty))).collect();
    assert_eq!(moves, [0, 0, 0, 20, 20]);
}

#[test]
fn nobody_is_moved_on_a_picture_with_holes() {
    let mut balance = eager();
    let holes = Picture { is_complete: false, ..whole(&[load(0)]) };
    assert_eq!(balance.decide(load(1_000), &holes), 0);
    assert_eq!(balance.decide(load(1_000), &whole(&[load(0)])), 20);
    assert_eq!(balance.decide(load(1_000), &holes), 0);
}

#[test]
fn nobody_is_moved_while_a_replica_drains() {
    let drains = Load { door: Door::Draining, ..load(1_000) };
    assert_eq!(first(1_000, &[load(1_000), load(0)]), 20);
    assert_eq!(first(1_000, &[load(1_000), load(0), drains]), 0, "its sessions will fill the empty one");
    let mut balance = eager();
    assert!(balance.decide(load(1_000), &whole(&[load(0)])) > 0);
    assert_eq!(balance.decide(load(1_000), &whole(&[load(0), drains])), 0);
}

#[test]
fn a_balancer_that_sends_everybody_back_does_not_make_it_churn() {
    let mut balance = eager();
    let beats = FLEET_REST_BEATS * 3;
    let moved: u64 = (0..beats).map(|_| balance.decide(load(2_000), &whole(&[load(0)]))).sum();
    let effort = (1_000.0 * FLEET_BUDGET) as u64;
    assert!(moved >= effort && moved <= effort * 3, "{moved}");
}

/// Where a balancer sends those who come.
#[derive(Debug, Clone, Copy)]
enum Balancer {
    LeastConnections,
    Random,
}

/// Replicas that each see what the others were at the last beat. Who is asked to leave has landed elsewhere at the next
/// but one.
#[derive(Debug)]
struct World {
    loads: Vec<Load>,
    /// What the others know.
    seen: Vec<Load>,
    balances: Vec<Balance>,
    balancer: Balancer,
    dice: SmallRng,
}

impl World {
    fn beat(&mut self) -> u64 {
        let landing: u64 = self.loads.iter().map(|load| load.moving).sum();
        let seen = std::mem::replace(&mut self.seen, self.loads.clone());
        let mut asked = 0;
        for (index, balance) in self.balances.iter_mut().enumerate() {
            let others: Vec<Load> =
                seen.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, load)| *load).collect();
            let load = &mut self.loads[index];
            let moves = balance.decide(*load, &whole(&others));
            load.connections -= load.moving;
            load.moving = moves;
            asked += moves;
        }
        for _ in 0..landing {
            let index = match self.balancer {
                Balancer::LeastConnections => {
                    (0..self.loads.len()).min_by_key(|index| self.loads[*index].connections).unwrap()
                }
                Balancer::Random => self.dice.random_range(0..self.loads.len()),
            };
            self.loads[index].connections += 1;
        }
        asked
    }

    fn mean(&self) -> f64 {
        self.loads.iter().map(|load| load.connections).sum::<u64>() as f64 / self.loads.len() as f64
    }

    fn fullest(&self) -> u64 {
        self.loads.iter().map(|load| load.connections).max().unwrap()
    }
}

fn world(balancer: Balancer) -> impl Strategy<Value = World> {
    (prop::collection::vec(0..4_000_u64, 2..8), any::<u64>()).prop_map(move |(counts, seed)| World {
        balances: counts.iter().map(|_| Balance::new(SHARE, PATIENCE)).collect(),
        seen: counts.iter().copied().map(load).collect(),
        loads: counts.into_iter().map(load).collect(),
        balancer,
        dice: SmallRng::seed_from_u64(seed),
    })
}

proptest! {
    #[test]
    fn no_report_can_make_it_panic(own: u64, limit: u64, moving: u64, others: Vec<(u64, u64, u64)>) {
        let load = |(connections, moving, limit)| Load { connections, moving, limit, door: Door::Open };
        let others: Vec<Load> = others.into_iter().map(load).collect();
        prop_assert!(eager().decide(load((own, moving, limit)), &whole(&others)) <= own);
    }

    #[test]
    fn no_decision_moves_more_than_it_may(own in 0..5_000_u64, limit in 1..5_000_u64, others: Vec<(u16, u16, bool)>) {
        let others: Vec<Load> = others
            .into_iter()
            .map(|(connections, limit, open)| Load {
                limit: limit.into(),
                door: if open { Door::Open } else { Door::Closed },
                ..load(connections.into())
            })
            .collect();
        let moves = eager().decide(Load { limit, ..load(own) }, &whole(&others));
        let room: u64 = others
            .iter()
            .filter(|load| load.door == Door::Open)
            .map(|load| load.limit.saturating_sub(load.connections))
            .sum();
        prop_assert!(moves <= room);
        prop_assert!(moves as f64 <= (own as f64 * SHARE).ceil());
        let least = others.iter().filter(|load| load.has_room()).map(|load| load.connections).min();
        prop_assert!(moves == 0 || least.is_some_and(|least| least + moves < own));
    }

    /// Behind `leastconn` the fleet becomes level within 150 beats, five minutes, moving hardly more than what was too
    /// much; and then nothing moves any more.
    #[test]
    fn a_fleet_becomes_level_and_stays_so(mut world in world(Balancer::LeastConnections)) {
        let mean = world.mean();
        let too_many: f64 = world.loads.iter().map(|load| (load.connections as f64 - mean).max(0.0)).sum();
        let moved: u64 = (0..150).map(|_| world.beat()).sum();
        prop_assert!(world.fullest() as f64 <= mean + clearly_more(mean) + 1.0, "{:?}", world.loads);
        prop_assert!(moved as f64 <= too_many * 1.1 + 1.0, "{moved} of {too_many}");
        prop_assert_eq!((0..300).map(|_| world.beat()).sum::<u64>(), 0);
    }

    /// A balancer that throws dice sends some back, and some to the next fullest: it takes longer, and ends.
    #[test]
    fn a_fleet_behind_dice_does_not_play_ping_pong(mut world in world(Balancer::Random)) {
        let mean = world.mean();
        let too_many: f64 = world.loads.iter().map(|load| (load.connections as f64 - mean).max(0.0)).sum();
        let moved: u64 = (0..600).map(|_| world.beat()).sum();
        prop_assert!(world.fullest() as f64 <= mean + clearly_more(mean) + 1.0, "{:?}", world.loads);
        prop_assert!(moved as f64 <= too_many * 2.0 * FLEET_BUDGET + 10.0, "{moved} of {too_many}");
        prop_assert!((0..300).map(|_| world.beat()).sum::<u64>() <= moved / 10 + 20);
    }
}
