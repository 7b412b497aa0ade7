//! Whatever happens, in any order.

use proptest::prelude::*;

use super::{BUDGET, world::World};

/// What may happen to a room, in any order.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Publish,
    /// Published, and the announcement is lost.
    PublishUnheard,
    LinkBreaks,
    LinkReturns,
    ReadAnswers,
    /// What the log held when it was asked.
    ReadAnswersLate,
    ReadFails,
    Join(u64),
    Trim(u64),
    Wipe,
    /// A failover: the link breaks and the log comes back without its newest events.
    LoseTail(u64),
    Check,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => Just(Happening::Publish),
        1 => Just(Happening::PublishUnheard),
        1 => Just(Happening::LinkBreaks),
        3 => Just(Happening::LinkReturns),
        4 => Just(Happening::ReadAnswers),
        2 => Just(Happening::ReadAnswersLate),
        1 => Just(Happening::ReadFails),
        3 => (0..20u64).prop_map(Happening::Join),
        1 => (1..5u64).prop_map(Happening::Trim),
        1 => Just(Happening::Wipe),
        1 => (1..4u64).prop_map(Happening::LoseTail),
        1 => Just(Happening::Check),
    ]
}

proptest! {
    /// Whatever happens, the sessions in the room see every event in order and once, but across a resync; and in the
    /// end, when all is well again, they stand at the top of the log.
    #[test]
    fn nothing_is_lost_or_doubled_without_a_word(
        happenings in prop::collection::vec(happening(), 1..80),
        forgetful: bool,
    ) {
        let mut world = World::new(if forgetful { 0 } else { BUDGET });
        for happening in happenings {
            world.happen(&happening)?;
        }
        world.settle()?;
    }
}
