//! How sessions are let in.

use super::*;

#[test]
fn sessions_that_return_together_cost_one_read() {
    let mut room = live();
    assert_eq!(join(&mut room, 1, Some(at(7, 5))), ["read 7-5"]);
    assert!(join(&mut room, 2, Some(at(7, 7))).is_empty());
    assert!(join(&mut room, 3, Some(at(7, 5))).is_empty());
    assert_eq!(hear(&mut room, at(7, 11)), ["deliver 7-11"], "the room stays live");
    let done = read(&mut room, slice(7, 6..=10));
    assert_eq!(done, ["1 7-5 + [6,7,8,9,10,11]", "2 7-7 + [8,9,10,11]", "3 7-5 + [6,7,8,9,10,11]"]);
    assert_eq!(join(&mut room, 4, Some(at(7, 9))), ["4 7-9 + [10,11]"], "later ones are served from memory");
}

#[test]
fn a_session_from_further_back_than_the_read_waits_for_the_next() {
    let mut room = live();
    assert_eq!(join(&mut room, 1, Some(at(7, 8))), ["read 7-8"]);
    assert!(join(&mut room, 2, Some(at(7, 5))).is_empty());
    assert_eq!(read(&mut room, slice(7, 9..=10)), ["1 7-8 + [9,10]", "read 7-5"]);
    assert_eq!(read(&mut room, slice(7, 6..=10)), ["2 7-5 + [6,7,8,9,10]"]);
}

#[test]
fn a_flood_while_the_log_is_read_costs_another_read_and_loses_nothing() {
    let mut room = live();
    room.set_budget(0);
    assert_eq!(join(&mut room, 1, Some(at(7, 5))), ["read 7-5"]);
    for seq in 11..=13 {
        hear(&mut room, at(7, seq));
    }
    assert_eq!(read(&mut room, slice(7, 5..=10)), ["read 7-5"], "memory holds 13 alone: 11 and 12 are in the log");
    assert_eq!(read(&mut room, slice(7, 5..=13)), ["1 7-5 + [6,7,8,9,10,11,12,13]"]);
}

#[test]
fn cursors_that_prove_nothing_are_lost() {
    let mut room = live();
    assert_eq!(join(&mut room, 1, Some(at(6, 99))), ["1 lost 7-10"], "an earlier epoch");
    assert_eq!(join(&mut room, 2, Some(at(7, 2))), ["read 7-2"]);
    assert_eq!(read(&mut room, slice(7, 6..=10)), ["2 lost 7-10"], "trimmed");
    assert_eq!(join(&mut room, 3, Some(at(7, 50))), ["read 7-10"]);
    assert_eq!(read(&mut room, top(at(7, 10))), ["3 lost 7-10"], "ahead of the log");
    assert_eq!(join(&mut room, 4, Some(at(9, 1))), ["read 7-10"]);
    assert_eq!(read(&mut room, top(at(7, 10))), ["4 lost 7-10"], "an epoch that never was");
}

#[test]
fn a_session_that_is_ahead_of_this_replica_is_not_lost_and_hears_nothing_twice() {
    let mut room = live();
    // The log stands at 7-12; this replica has not heard of 11 and 12 yet.
    assert_eq!(join(&mut room, 1, Some(at(7, 12))), ["read 7-10"]);
    assert_eq!(read(&mut room, slice(7, 11..=12)), ["deliver 7-11", "deliver 7-12", "1 7-12 + []"]);
    assert!(hear(&mut room, at(7, 11)).is_empty());
    assert_eq!(hear(&mut room, at(7, 13)), ["deliver 7-13"]);
}

#[test]
fn a_session_from_ahead_is_not_judged_by_an_older_read() {
    let mut room = live();
    assert_eq!(join(&mut room, 1, Some(at(7, 5))), ["read 7-5"]);
    assert!(join(&mut room, 2, Some(at(7, 12))).is_empty());
    assert_eq!(read(&mut room, slice(7, 5..=10)), ["1 7-5 + [6,7,8,9,10]", "read 7-10"]);
    assert_eq!(read(&mut room, slice(7, 10..=12)), ["deliver 7-11", "deliver 7-12", "2 7-12 + []"]);
}

#[test]
fn too_much_to_read_is_lost_for_the_session_alone() {
    let mut room = live();
    join(&mut room, 1, Some(at(7, 1)));
    let far = |room: &mut Room, effects: &mut Vec<Effect>| {
        assert!(!room.log(Err(ReadError::TooFar { top: at(7, 10) }), effects));
    };
    assert_eq!(step(&mut room, far), ["1 lost 7-10"]);
    assert_eq!(hear(&mut room, at(7, 11)), ["deliver 7-11"]);
}

#[test]
fn joining_while_the_link_is_down_is_settled_later() {
    let mut room = Room::new(Stage::Down, BUDGET);
    assert_eq!(join(&mut room, 0, None), ["0 deferred"]);
    assert_eq!(join(&mut room, 1, Some(at(7, 8))), ["1 deferred"]);
    assert_eq!(join(&mut room, 2, Some(at(6, 8))), ["2 deferred"]);
    room.link_up();
    assert_eq!(step(&mut room, Room::subscribed), ["read 6-8"]);
    let done = read(&mut room, slice(7, 8..=10));
    assert_eq!(done, ["live", "0 lost 7-10", "1 7-8 + [9,10]", "2 lost 7-10"]);
}

#[test]
fn a_known_room_lets_sessions_in_while_the_link_is_down() {
    let mut room = live();
    hear(&mut room, at(7, 11));
    step(&mut room, Room::link_down);
    assert_eq!(join(&mut room, 1, None), ["1 fresh 7-11"]);
    assert_eq!(join(&mut room, 2, Some(at(7, 11))), ["2 7-11 + []"]);
    assert_eq!(join(&mut room, 3, Some(at(7, 10))), ["3 deferred"], "a failover may have lost 11");
}

#[test]
fn a_session_that_left_while_waiting_is_forgotten() {
    let mut room = Room::new(Stage::Down, BUDGET);
    join(&mut room, 0, None);
    room.cancel(session(0));
    room.link_up();
    assert_eq!(step(&mut room, Room::subscribed), ["read top"]);
    assert_eq!(read(&mut room, top(at(7, 10))), ["live"]);
}

#[test]
fn having_seen_an_empty_log_proves_nothing_once_a_log_has_come_and_gone() {
    let mut room = Room::new(Stage::Subscribing, BUDGET);
    join(&mut room, 0, None);
    step(&mut room, Room::subscribed);
    read(&mut room, LogSlice { top: None, events: vec![] });
    assert_eq!(hear(&mut room, at(70, 1)), ["deliver 70-1"]);
    assert_eq!(join(&mut room, 1, Some(at(60, 0))), ["1 0-0 + [1]"]);
    assert_eq!(hear(&mut room, at(80, 1)), ["read 70-1"]);
    assert_eq!(read(&mut room, slice(80, 1..=1)), ["resync 80-0", "deliver 80-1"]);
    assert_eq!(join(&mut room, 2, Some(at(60, 0))), ["2 lost 80-1"], "it never saw 70-1");
    assert_eq!(join(&mut room, 3, Some(at(75, 0))), ["3 0-0 + [1]"], "it came between the two");
    assert_eq!(join(&mut room, 4, Some(at(80, 0))), ["4 80-0 + [1]"], "it was told to go on from there");
}

#[test]
fn a_log_of_which_nothing_was_delivered_is_known_to_have_come_and_gone() {
    let mut room = live();
    assert_eq!(hear(&mut room, at(70, 1)), ["read 7-10"]);
    assert_eq!(read(&mut room, slice(80, 1..=1)), ["resync 80-1"], "once, to the log that there is");
    assert_eq!(join(&mut room, 1, Some(at(60, 0))), ["1 lost 80-1"], "it never saw 70-1");
    assert_eq!(join(&mut room, 2, Some(at(75, 0))), ["2 0-0 + [1]"], "it came between the two");
}
