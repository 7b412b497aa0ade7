//! One suite for both backplanes: a test says what it needs, a [`Site`] provides it.

use std::ops::Deref;

use super::{Gateway, Launch, Redis};

/// What carries events from the publisher to the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backplane {
    /// In the gateway itself.
    Embedded,
    /// A Redis of the test's own.
    Redis,
}

impl Backplane {
    /// A gateway on this backplane.
    pub(crate) async fn start(self) -> Site {
        self.start_with(Launch::new()).await
    }

    /// A gateway with settings of its own on this backplane.
    pub(crate) async fn start_with(self, launch: Launch) -> Site {
        match self {
            Self::Embedded => Site { gateway: launch.start().await, redis: None },
            Self::Redis => {
                let redis = Redis::start().await;
                Site { gateway: launch.redis(&redis).start().await, redis: Some(redis) }
            }
        }
    }
}

/// A gateway and what it stands on; it answers as the gateway does.
pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    pub(crate) redis: Option<Redis>,
}

impl Deref for Site {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.gateway
    }
}

/// Makes two tests of each function named: one in `embedded`, one in `redis`.
macro_rules! on_both_backplanes {
    ($($(#[$attribute:meta])* $test:ident,)+) => {
        mod embedded {
            $(
                $(#[$attribute])*
                #[tokio::test]
                async fn $test() { super::$test(crate::support::Backplane::Embedded).await }
            )+
        }
        mod redis {
            $(
                $(#[$attribute])*
                #[tokio::test]
                async fn $test() { super::$test(crate::support::Backplane::Redis).await }
            )+
        }
    };
}

pub(crate) use on_both_backplanes;
