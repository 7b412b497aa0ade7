use std::sync::Arc;

use shared::{Cursor, DeliveryState, EventType, Record};

use super::{Effect, Outcome, Room, Stage};
use crate::{
    backplane::{LogSlice, ReadError},
    delivery::Delivery,
    dispatcher::{SessionId, WorkerId},
};

const BUDGET: usize = 1 << 20;

fn at(epoch: u64, seq: u64) -> Cursor {
    Cursor { epoch, seq }
}

fn event(id: Cursor) -> Delivery {
    event_of(id, 0)
}

/// Another history under the same number.
fn event_of(id: Cursor, lineage: u64) -> Delivery {
    let record = Record::encode(id, &EventType::parse("devis:signed").unwrap(), &format!("{{\"lineage\":{lineage}}}"));
    Delivery::decode(record.as_bytes()).unwrap()
}

fn session(slot: usize) -> SessionId {
    SessionId { worker: WorkerId(0), slot, generation: 0 }
}

fn slice(epoch: u64, seqs: std::ops::RangeInclusive<u64>) -> LogSlice {
    let events: Vec<_> = seqs.map(|seq| event(at(epoch, seq))).collect();
    LogSlice { top: events.last().map(|event| event.id), events }
}

fn top(cursor: Cursor) -> LogSlice {
    LogSlice { top: Some(cursor), events: vec![] }
}

/// What a room did, in short.
fn told(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .flat_map(|effect| match effect {
            Effect::CatchUp(events) => events.iter().map(|event| format!("deliver {}", event.id)).collect(),
            other => vec![one(other)],
        })
        .collect()
}

fn one(effect: &Effect) -> String {
    let ids =
        |events: &[Arc<Delivery>]| events.iter().map(|event| event.id.seq.to_string()).collect::<Vec<_>>().join(",");
    match effect {
        Effect::CatchUp(_) => unreachable!("told one by one"),
        Effect::Read(None) => "read top".into(),
        Effect::Read(Some(from)) => format!("read {from}"),
        Effect::Deliver(event) => format!("deliver {}", event.id),
        Effect::Resync { position, .. } => format!("resync {position}"),
        Effect::Status(DeliveryState::Live) => "live".into(),
        Effect::Status(DeliveryState::Degraded) => "degraded".into(),
        Effect::Admit(who, Outcome::Fresh(position)) => format!("{} fresh {position}", who.slot),
        Effect::Admit(who, Outcome::Recovered(from, events)) => format!("{} {from} + [{}]", who.slot, ids(events)),
        Effect::Admit(who, Outcome::Lost(position, _)) => format!("{} lost {position}", who.slot),
        Effect::Admit(who, Outcome::Deferred(_)) => format!("{} deferred", who.slot),
    }
}

/// Runs one step and says what the room did.
fn step(room: &mut Room, act: impl FnOnce(&mut Room, &mut Vec<Effect>)) -> Vec<String> {
    let mut effects = vec![];
    act(room, &mut effects);
    told(&effects)
}

fn join(room: &mut Room, slot: usize, cursor: Option<Cursor>) -> Vec<String> {
    step(room, |room, effects| room.join(session(slot), cursor, effects))
}

fn hear(room: &mut Room, id: Cursor) -> Vec<String> {
    step(room, |room, effects| room.heard(Arc::new(event(id)), effects))
}

fn read(room: &mut Room, slice: LogSlice) -> Vec<String> {
    step(room, |room, effects| assert!(!room.log(Ok(slice), effects)))
}

/// A live room with one session, standing at 7-10 with nothing kept.
fn live() -> Room {
    let mut room = Room::new(Stage::Subscribing, BUDGET);
    assert!(join(&mut room, 0, None).is_empty());
    assert_eq!(step(&mut room, Room::subscribed), ["read top"]);
    assert_eq!(read(&mut room, top(at(7, 10))), ["0 fresh 7-10"]);
    room
}

#[test]
fn events_in_order_are_delivered_and_known_ones_dropped() {
    let mut room = live();
    assert_eq!(hear(&mut room, at(7, 11)), ["deliver 7-11"]);
    assert!(hear(&mut room, at(7, 11)).is_empty());
    assert!(hear(&mut room, at(7, 3)).is_empty());
    assert_eq!(hear(&mut room, at(7, 12)), ["deliver 7-12"]);
}

#[test]
fn a_new_company_begins_at_the_empty_log() {
    let mut room = Room::new(Stage::Subscribing, BUDGET);
    join(&mut room, 0, None);
    step(&mut room, Room::subscribed);
    assert_eq!(read(&mut room, LogSlice { top: None, events: vec![] }), ["0 fresh 0-0"]);
    assert_eq!(hear(&mut room, at(7, 1)), ["deliver 7-1"]);
    assert_eq!(join(&mut room, 1, Some(Cursor::EMPTY)), ["1 0-0 + [1]"]);
}

#[test]
fn events_heard_while_joining_come_once() {
    let mut room = Room::new(Stage::Subscribing, BUDGET);
    join(&mut room, 0, Some(at(7, 8)));
    assert_eq!(step(&mut room, Room::subscribed), ["read 7-8"]);
    assert!(hear(&mut room, at(7, 10)).is_empty());
    assert!(hear(&mut room, at(7, 11)).is_empty());
    assert_eq!(read(&mut room, slice(7, 9..=10)), ["deliver 7-11", "0 7-8 + [9,10,11]"]);
    assert_eq!(hear(&mut room, at(7, 12)), ["deliver 7-12"]);
}

#[test]
fn a_hole_is_filled_from_the_log() {
    let mut room = live();
    assert_eq!(hear(&mut room, at(7, 13)), ["read 7-10"]);
    assert!(hear(&mut room, at(7, 14)).is_empty());
    let done = read(&mut room, slice(7, 11..=13));
    assert_eq!(done, ["deliver 7-11", "deliver 7-12", "deliver 7-13", "deliver 7-14"]);
}

#[test]
fn a_hole_that_the_log_cannot_fill_is_told_once() {
    let mut room = live();
    assert_eq!(hear(&mut room, at(7, 15)), ["read 7-10"]);
    assert_eq!(read(&mut room, slice(7, 13..=15)), ["resync 7-14", "deliver 7-15"]);
    assert_eq!(hear(&mut room, at(7, 16)), ["deliver 7-16"]);
}

#[test]
fn a_log_that_was_wiped_is_told_once() {
    let mut room = live();
    assert_eq!(hear(&mut room, at(8, 1)), ["read 7-10"]);
    assert_eq!(read(&mut room, slice(8, 1..=1)), ["resync 8-0", "deliver 8-1"]);
    assert_eq!(hear(&mut room, at(8, 2)), ["deliver 8-2"]);
}

#[test]
fn a_log_born_with_an_earlier_clock_is_told_once() {
    let mut room = live();
    assert_eq!(hear(&mut room, at(5, 1)), ["read 7-10"]);
    assert_eq!(read(&mut room, top(at(5, 1))), ["resync 5-0", "deliver 5-1"]);
}

#[test]
fn an_announcement_that_is_not_in_the_log_ends_in_a_resync() {
    let mut room = live();
    assert_eq!(hear(&mut room, at(7, 99)), ["read 7-10"]);
    assert_eq!(read(&mut room, top(at(7, 10))), ["read 7-10"]);
    assert_eq!(read(&mut room, top(at(7, 10))), ["read 7-10"]);
    assert_eq!(read(&mut room, top(at(7, 10))), ["resync 7-10", "read 7-10"]);
    assert!(read(&mut room, top(at(7, 10))).is_empty());
    assert_eq!(hear(&mut room, at(7, 11)), ["deliver 7-11"]);
}

#[test]
fn a_doubt_that_arises_during_a_read_leads_to_another() {
    let mut room = live();
    step(&mut room, Room::doubt);
    assert!(step(&mut room, Room::doubt).is_empty());
    assert_eq!(read(&mut room, top(at(7, 10))), ["read 7-10"], "the first may have been answered before");
    assert_eq!(read(&mut room, slice(7, 11..=12)), ["deliver 7-11", "deliver 7-12"]);
}

#[test]
fn a_break_of_the_link_is_caught_up() {
    let mut room = live();
    assert_eq!(step(&mut room, Room::link_down), ["degraded"]);
    assert!(step(&mut room, Room::link_down).is_empty(), "told once");
    room.link_up();
    assert_eq!(step(&mut room, Room::subscribed), ["read 7-10"]);
    assert_eq!(read(&mut room, slice(7, 11..=12)), ["deliver 7-11", "deliver 7-12", "live"]);
}

#[test]
fn a_break_during_which_nothing_happened_delivers_nothing() {
    let mut room = live();
    step(&mut room, Room::link_down);
    room.link_up();
    step(&mut room, Room::subscribed);
    assert_eq!(read(&mut room, top(at(7, 10))), ["live"]);
}

#[test]
fn a_log_that_went_backwards_during_a_break_is_told() {
    let mut room = live();
    step(&mut room, Room::link_down);
    room.link_up();
    step(&mut room, Room::subscribed);
    assert_eq!(read(&mut room, top(at(7, 9))), ["resync 7-9", "live"]);
}

#[test]
fn an_idle_room_finds_what_it_did_not_hear() {
    let mut room = live();
    assert_eq!(step(&mut room, Room::check), ["read 7-10"]);
    assert_eq!(read(&mut room, slice(7, 10..=12)), ["deliver 7-11", "deliver 7-12"]);
    assert_eq!(step(&mut room, Room::check), ["read 7-12"]);
    assert!(read(&mut room, slice(7, 12..=12)).is_empty());
}

#[test]
fn an_idle_room_whose_log_was_wiped_is_told_once() {
    let mut room = live();
    assert_eq!(step(&mut room, Room::check), ["read 7-10"]);
    assert_eq!(read(&mut room, LogSlice { top: None, events: vec![] }), ["read 7-10"]);
    assert_eq!(read(&mut room, LogSlice { top: None, events: vec![] }), ["resync 0-0"]);
    step(&mut room, Room::check);
    assert!(read(&mut room, LogSlice { top: None, events: vec![] }).is_empty());
    assert_eq!(hear(&mut room, at(8, 1)), ["deliver 8-1"]);
}

#[test]
fn numbers_that_a_failover_reused_are_not_taken_for_the_same_events() {
    let mut room = live();
    hear(&mut room, at(7, 11));
    hear(&mut room, at(7, 12));
    step(&mut room, Room::link_down);
    room.link_up();
    assert_eq!(step(&mut room, Room::subscribed), ["read 7-12"]);
    let reused = (12..=14).map(|seq| event_of(at(7, seq), 1)).collect();
    assert_eq!(read(&mut room, LogSlice { top: Some(at(7, 14)), events: reused }), ["resync 7-14", "live"]);
    assert_eq!(join(&mut room, 1, Some(at(7, 13))), ["1 lost 7-14"], "it may have been at the lost 13");
    assert_eq!(join(&mut room, 2, Some(at(7, 14))), ["2 7-14 + []"]);
}

#[test]
fn a_known_number_with_another_event_makes_the_room_look() {
    let mut room = live();
    hear(&mut room, at(7, 11));
    let other = step(&mut room, |room, effects| room.heard(Arc::new(event_of(at(7, 11), 1)), effects));
    assert_eq!(other, ["read 7-11"]);
    let log = LogSlice { top: Some(at(7, 11)), events: vec![event_of(at(7, 11), 1)] };
    assert_eq!(read(&mut room, log), ["resync 7-10", "deliver 7-11"]);
}

#[test]
fn a_failed_read_is_asked_for_again() {
    let mut room = live();
    hear(&mut room, at(7, 12));
    let failed = |room: &mut Room, effects: &mut Vec<Effect>| {
        assert!(room.log(Err(ReadError::Unavailable("down".into())), effects));
    };
    assert!(step(&mut room, failed).is_empty());
    assert_eq!(step(&mut room, Room::retry), ["read 7-10"]);
    assert_eq!(read(&mut room, slice(7, 11..=12)), ["deliver 7-11", "deliver 7-12"]);
}

#[test]
fn what_cannot_be_held_back_is_read() {
    let mut room = live();
    assert_eq!(hear(&mut room, at(7, 12)), ["read 7-10"]);
    for seq in 13..=2000 {
        assert!(hear(&mut room, at(7, seq)).is_empty());
    }
    let done = read(&mut room, slice(7, 11..=12));
    assert_eq!(done.first().map(String::as_str), Some("deliver 7-11"));
    assert_eq!(done.last().map(String::as_str), Some("read 7-1011"));
    let done = read(&mut room, slice(7, 1011..=2000));
    assert_eq!(done.last().map(String::as_str), Some("deliver 7-2000"));
}

mod joins;
mod property;
mod world;
