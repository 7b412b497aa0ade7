//! Sessions that drop and come back at random while events rain: whatever happens, each has all of them, in order, once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use shared::{Cursor, Resume};
use tokio::{
    sync::Barrier,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::support::{Api, Backplane, Launch, Load, PATIENCE, Token, event, eventually, n, on_both_backplanes};

on_both_backplanes![
    sessions_that_drop_and_resume_miss_nothing,
    sessions_that_join_amid_events_begin_where_they_are_told,
    the_first_events_of_a_company_race_with_a_session_from_before_them,
];

const EVENTS: u64 = 2_000;
const SESSIONS: u64 = 20;
/// No session may fall further behind than the log reaches back, on however slow a machine.
const FURTHEST_BEHIND: u64 = 400;

async fn sessions_that_drop_and_resume_miss_nothing(backplane: Backplane) {
    let site = backplane.start().await;
    storm(&[**site]).await;
}

#[tokio::test]
async fn sessions_that_wander_between_replicas_miss_nothing() {
    let site = Backplane::Redis.start().await;
    let other = Launch::new().redis(site.redis.as_ref().unwrap()).start().await;
    storm(&[**site, *other]).await;
}

async fn sessions_that_join_amid_events_begin_where_they_are_told(backplane: Backplane) {
    let site = backplane.start().await;
    let load = Load::start(**site, "acme");
    load.publishes_more(5).await;

    let mut sessions = vec![];
    for _ in 0..60 {
        sessions.push(site.connect(&Token::user("acme", "anna").sign()).await);
    }
    load.finish().await;
    let last = site.publish(&event("acme", "devis:signed", 0)).await;

    for session in &mut sessions {
        let mut place = session.welcome.last_event_id;
        while place != last {
            let event = session.event().await;
            assert!(event.id.follows(place), "{} came after {place}", event.id);
            place = event.id;
        }
    }
    let first = sessions[0].welcome.last_event_id.seq;
    assert!(sessions[59].welcome.last_event_id.seq > first, "nothing happened while they joined");
}

async fn the_first_events_of_a_company_race_with_a_session_from_before_them(backplane: Backplane) {
    let site = backplane.start().await;
    for round in 0..200 {
        let company = format!("company-{round}");
        let token = Token::user(&company, "anna").sign();
        let joining = join_all((0..4).map(|_| site.connect_from(&token, Cursor::EMPTY)));
        let (sessions, _) = tokio::join!(joining, site.publish_numbered(&company, 0..3));

        for mut session in sessions {
            assert_eq!(session.welcome.resume, Resume::Recovered, "round {round}: {:?}", session.welcome);
            assert_eq!(session.events(3).await.iter().map(n).collect::<Vec<_>>(), [0, 1, 2], "round {round}");
        }
    }
}

/// The seed of `STORM_SEED`, to see a failure again, else a new one.
fn seed() -> u64 {
    option_env!("STORM_SEED").map_or_else(rand::random, |text| text.parse().expect("STORM_SEED is a number"))
}

async fn storm(replicas: &[Api]) {
    let seed = seed();
    eprintln!("STORM_SEED={seed}");
    let ready = Arc::new(Barrier::new(usize::try_from(SESSIONS).unwrap() + 1));
    let reached: Arc<Vec<AtomicU64>> = Arc::new((0..SESSIONS).map(|_| AtomicU64::new(0)).collect());
    let mut sessions = JoinSet::new();
    for index in 0..SESSIONS {
        let wanderer =
            Wanderer { random: StdRng::seed_from_u64(seed.wrapping_add(index)), replicas: replicas.to_vec() };
        let (ready, reached) = (Arc::clone(&ready), Arc::clone(&reached));
        sessions.spawn(async move { wanderer.run(&ready, &reached[usize::try_from(index).unwrap()]).await });
    }

    // One that failed before it was ready would be waited for without end.
    timeout(2 * PATIENCE, ready.wait()).await.expect("not all sessions came up");
    for (round, start) in (0..EVENTS).step_by(20).enumerate() {
        eventually("the slowest session's progress", async || {
            let slowest = reached.iter().map(|reached| reached.load(Ordering::Relaxed)).min().unwrap();
            if slowest + FURTHEST_BEHIND >= start { Ok(()) } else { Err(format!("{slowest} of {start}")) }
        })
        .await;
        replicas[round % replicas.len()].publish_numbered("acme", start..start + 20).await;
    }

    let drops: u64 = sessions.join_all().await.into_iter().sum();
    assert!(drops >= SESSIONS, "only {drops} drops: the storm was none");
}

/// One session with a mind of its own.
struct Wanderer {
    random: StdRng,
    replicas: Vec<Api>,
}

impl Wanderer {
    /// Collects every event, over as many connections as it likes; how often it dropped one.
    async fn run(mut self, ready: &Barrier, reached: &AtomicU64) -> u64 {
        let token = Token::user("acme", "anna").sign();
        let mut session = self.replica().connect(&token).await;
        assert_eq!(session.welcome.resume, Resume::Fresh);
        let mut last: Cursor = session.welcome.last_event_id;
        let mut next = 0;
        let mut drops = 0;
        ready.wait().await;
        loop {
            for _ in 0..self.random.random_range(0..200) {
                let event = session.event().await;
                assert!(event.id.follows(last), "{} came after {last}", event.id);
                assert_eq!(n(&event), next, "at {}", event.id);
                last = event.id;
                next += 1;
                reached.store(next, Ordering::Relaxed);
                if next == EVENTS {
                    return drops;
                }
            }
            drops += 1;
            if self.random.random_bool(0.3) {
                session.close().await
            } else {
                drop(session)
            }
            // How long it stays away is part of the storm, not a wait for anything.
            sleep(Duration::from_millis(self.random.random_range(0..15))).await;
            session = self.replica().connect_from(&token, last).await;
            assert_eq!((session.welcome.resume, session.welcome.last_event_id), (Resume::Recovered, last));
        }
    }

    fn replica(&mut self) -> Api {
        self.replicas[self.random.random_range(0..self.replicas.len())]
    }
}
