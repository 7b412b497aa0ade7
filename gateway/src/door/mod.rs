//! What a stranger meets before anybody asks who it is.
//!
//! [`guarded`] counts sockets: so many descriptors are kept free that Redis and the probes can still be reached, and so
//! many clients may be about to say what they want. [`Door::knock`] spreads a storm of connections over time, before a
//! token is looked at. Who belongs, and how many of them, is for `auth` and `quota`, which come after.

mod guard;
mod rate;
mod socket;

pub use guard::{guarded, heard};
pub use rate::PublishRate;
pub use socket::Counted;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use self::rate::Rate;
use crate::{
    config::LimitsConfig,
    defaults::{CONNECT_BURST, MAX_WAITING, RESERVED_FOR_OTHERS},
    health::Health,
    http::Problem,
};

/// The public listener's door.
pub struct Door {
    health: Arc<Health>,
    connects: Rate,
    /// Open sockets, whatever they are used for.
    sockets: AtomicU64,
    max_sockets: u64,
}

impl Door {
    /// A door for a replica that may open so many files.
    #[must_use]
    pub fn new(limits: &LimitsConfig, descriptors: u64, health: Arc<Health>) -> Arc<Self> {
        Arc::new(Self {
            health,
            connects: Rate::per_second(limits.connects_per_second, CONNECT_BURST),
            sockets: AtomicU64::new(0),
            max_sockets: descriptors.saturating_sub(RESERVED_FOR_OTHERS).max(1),
        })
    }

    /// Lets a socket in.
    ///
    /// # Errors
    /// Why it is closed again.
    pub fn enter(self: &Arc<Self>) -> Result<Counted, &'static str> {
        let socket = self.keep();
        let sockets = self.sockets.load(Ordering::Acquire);
        if sockets > self.max_sockets {
            Err("descriptors")
        } else if sockets.saturating_sub(self.health.connections()) > MAX_WAITING {
            Err("waiting")
        } else {
            Ok(socket)
        }
    }

    /// Counts a socket that is inside already.
    #[must_use]
    pub fn keep(self: &Arc<Self>) -> Counted {
        Counted::new(self.clone())
    }

    /// Asks for a session to be begun.
    ///
    /// # Errors
    /// 503, when too many do at once.
    pub fn knock(&self) -> Result<(), Problem> {
        self.connects.take().map_err(|_| Problem::too_many_at_once())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(descriptors: u64) -> Arc<Door> {
        let limits = LimitsConfig { connects_per_second: 4, ..LimitsConfig::default() };
        Door::new(&limits, descriptors, Arc::new(Health::new(1)))
    }

    #[test]
    fn some_descriptors_are_never_given_to_strangers() {
        let door = door(RESERVED_FOR_OTHERS + 2);
        let inside = [door.enter().unwrap(), door.enter().unwrap()];
        assert_eq!(door.enter().err(), Some("descriptors"));
        assert_eq!(door.enter().err(), Some("descriptors"), "who was refused is not counted");
        drop(inside);
        assert!(door.enter().is_ok());
    }

    #[test]
    fn so_many_may_wait_beside_those_who_have_a_session() {
        let door = door(u64::MAX);
        let waiting: Vec<_> = (0..MAX_WAITING).map(|_| door.enter().unwrap()).collect();
        assert_eq!(door.enter().err(), Some("waiting"));
        let place = door.health.admit().unwrap();
        let inside = door.enter().expect("one of them has a session now");
        drop((waiting, place, inside));
    }

    #[test]
    fn a_storm_is_spread() {
        let door = door(u64::MAX);
        let let_in = (0..100).filter(|_| door.knock().is_ok()).count();
        // Half a second's worth at once; a machine that is slow lets a few more in meanwhile.
        assert!((2..20).contains(&let_in), "{let_in}");
    }
}
