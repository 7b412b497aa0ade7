use proptest::prelude::*;
use shared::{CompanyId, Cursor};

use super::{Finding, Ledger, Log, Step, Verdict, check};

const EPOCH: u64 = 7;

fn company() -> CompanyId {
    CompanyId::parse("acme").unwrap()
}

fn at(seq: u64) -> Cursor {
    Cursor { epoch: EPOCH, seq }
}

fn event(seq: u64) -> Step {
    Step::Event { at: at(seq), fact: seq }
}

fn jump(to: Cursor, at_ms: u64) -> Step {
    Step::Jump { to, at_ms, reason: "test".into() }
}

/// Facts 1 to `count`, each acknowledged at the place of its number.
fn ledger(count: u64) -> Ledger {
    let mut ledger = Ledger::default();
    for n in 1..=count {
        ledger.issue(&company(), n);
        ledger.acknowledge(&company(), n, at(n));
    }
    ledger
}

fn log(steps: Vec<Step>) -> Log {
    Log { steps, ..Log::new("receiver".into(), company()) }
}

fn judge(ledger: &Ledger, steps: Vec<Step>) -> Verdict {
    check(ledger, [&log(steps)])
}

/// A receiver that joined after `start` and applied everything up to `count`.
fn honest(start: u64, count: u64) -> Vec<Step> {
    std::iter::once(Step::Start(at(start))).chain((start + 1..=count).map(event)).collect()
}

#[test]
fn a_loss_that_was_said_is_excused_and_counted() {
    let verdict =
        judge(&ledger(9), vec![Step::Start(at(0)), event(1), event(2), jump(at(6), 5), event(7), event(8), event(9)]);
    assert!(verdict.is_clean(), "{:?}", verdict.findings);
    assert_eq!((verdict.jumps, verdict.excused), (1, 4));
}

#[test]
fn a_word_about_a_loss_does_not_excuse_what_follows_it() {
    let verdict = judge(&ledger(9), vec![Step::Start(at(0)), event(1), jump(at(6), 5), event(7), event(8)]);
    assert_eq!(verdict.count(Finding::Lost), 1, "{:?}", verdict.findings);
}

#[test]
fn a_new_log_needs_a_word() {
    let reborn = Cursor { epoch: EPOCH + 1, seq: 1 };
    let mut ledger = ledger(3);
    ledger.issue(&company(), 4);
    ledger.acknowledge(&company(), 4, reborn);
    let first = Step::Event { at: reborn, fact: 4 };
    let told = [honest(0, 3), vec![jump(reborn.before(), 5), first.clone()]].concat();
    assert!(judge(&ledger, told).is_clean());
    let silent = [honest(0, 3), vec![first]].concat();
    assert_eq!(judge(&ledger, silent).count(Finding::Disorder), 1);
}

#[test]
fn after_a_loss_an_empty_log_owes_what_it_is_born_with_and_nothing_older() {
    let reborn = |seq| Cursor { epoch: EPOCH + 1, seq };
    let mut ledger = ledger(3);
    for (fact, seq) in [(4, 1), (5, 2)] {
        ledger.issue(&company(), fact);
        ledger.acknowledge(&company(), fact, reborn(seq));
    }
    let told = [honest(2, 2), vec![jump(Cursor::EMPTY, 5)]].concat();
    let events = [Step::Event { at: reborn(1), fact: 4 }, Step::Event { at: reborn(2), fact: 5 }];
    assert!(judge(&ledger, [told.clone(), events.to_vec()].concat()).is_clean());
    assert_eq!(judge(&ledger, [told.clone(), events[..1].to_vec()].concat()).count(Finding::Lost), 1);
    assert_eq!(judge(&ledger, [told.clone(), events[1..].to_vec()].concat()).count(Finding::Disorder), 1);
    assert_eq!(judge(&ledger, told).count(Finding::Lost), 2);
}

#[test]
fn an_ambiguous_fact_may_come_or_not_and_a_refused_one_must_not() {
    let mut ledger = ledger(2);
    ledger.issue(&company(), 3);
    assert!(judge(&ledger, honest(0, 2)).is_clean());
    assert!(judge(&ledger, honest(0, 3)).is_clean());
    ledger.refuse(&company(), 3);
    assert!(judge(&ledger, honest(0, 2)).is_clean());
    assert_eq!(judge(&ledger, honest(0, 3)).count(Finding::Phantom), 1);
}

#[test]
fn a_fact_under_two_event_ids_is_twice() {
    let mut ledger = ledger(3);
    ledger.acknowledge(&company(), 3, at(4));
    let doubled = [honest(0, 3), vec![Step::Event { at: at(4), fact: 3 }]].concat();
    assert!(judge(&ledger, doubled).count(Finding::Twice) >= 2);
}

#[test]
fn a_retry_that_redis_has_forgotten_may_stand_in_two_logs_after_a_word_about_the_loss() {
    let reborn = Cursor { epoch: EPOCH + 1, seq: 1 };
    let again = Step::Event { at: reborn, fact: 3 };
    let told = [honest(0, 3), vec![jump(reborn.before(), 5), again.clone()]].concat();
    let mut ledger = ledger(3);
    ledger.acknowledge(&company(), 3, reborn);
    assert!(judge(&ledger, told.clone()).count(Finding::Twice) >= 2, "nothing was taken from Redis");
    ledger.redis_forgot();
    let verdict = judge(&ledger, told);
    assert_eq!((verdict.is_clean(), verdict.repeated), (true, 1), "{:?}", verdict.findings);
    let silent = [honest(0, 3), vec![again]].concat();
    assert_eq!(judge(&ledger, silent).count(Finding::Disorder), 1);
    let same_log = [honest(0, 3), vec![jump(at(2), 5), event(3)]].concat();
    assert_eq!(judge(&ledger, same_log).count(Finding::Twice), 1);
}

#[test]
fn what_redis_lost_is_not_owed_but_what_took_its_numbers_is() {
    let mut ledger = ledger(4);
    let held = [1, 2].into();
    let before = ledger.acknowledged(&company());
    assert_eq!(ledger.take_away(&company(), at(1), &before, &held, 100), 2);
    for (fact, seq) in [(5, 3), (6, 4)] {
        ledger.issue(&company(), fact);
        ledger.acknowledge(&company(), fact, at(seq));
    }
    let after = [Step::Event { at: at(3), fact: 5 }, Step::Event { at: at(4), fact: 6 }];
    let told = |ms| [honest(0, 2), vec![jump(at(2), ms)], after.to_vec()].concat();
    assert!(judge(&ledger, told(150)).is_clean());
    let untold = judge(&ledger, told(50));
    assert_eq!((untold.is_clean(), untold.untold), (true, 2));
    let reused = [honest(0, 4), vec![jump(at(2), 150)], after.to_vec()].concat();
    assert!(judge(&ledger, reused).is_clean());
    let past_it = [honest(0, 4), vec![jump(at(4), 150)]].concat();
    assert!(judge(&ledger, past_it).is_clean(), "what got the old numbers lies before the place it went on from");
    let short = [honest(0, 4), vec![jump(at(2), 150), after[0].clone()]].concat();
    assert_eq!(judge(&ledger, short).count(Finding::Lost), 1);
    assert!(!judge(&ledger, [honest(0, 4), after.to_vec()].concat()).is_clean());
}

#[test]
fn foreign_frames_and_wrong_resumes_are_found() {
    let verdict = judge(&ledger(2), [honest(0, 2), vec![Step::Foreign("of globex".into())]].concat());
    assert_eq!(verdict.count(Finding::Foreign), 1);
    let resume = |named| [honest(0, 2), vec![Step::Resume { brought: at(2), at: named }]].concat();
    assert!(judge(&ledger(2), resume(at(2))).is_clean());
    assert_eq!(judge(&ledger(2), resume(at(1))).count(Finding::Disorder), 1);
}

proptest! {
    #[test]
    fn an_honest_history_passes(count in 1u64..60, start in 0u64..60) {
        let start = start.min(count);
        let verdict = judge(&ledger(count), honest(start, count));
        prop_assert!(verdict.is_clean(), "{:?}", verdict.findings);
        prop_assert_eq!(verdict.applied, count - start);
    }

    #[test]
    fn a_missing_event_is_lost(count in 1u64..60, which: prop::sample::Index) {
        let mut steps = honest(0, count);
        steps.remove(1 + which.index(steps.len() - 1));
        prop_assert_eq!(judge(&ledger(count), steps).count(Finding::Lost), 1);
    }

    #[test]
    fn a_repeated_event_is_twice(count in 1u64..60, which: prop::sample::Index, to: prop::sample::Index) {
        let mut steps = honest(0, count);
        let copy = steps[1 + which.index(steps.len() - 1)].clone();
        steps.insert(1 + to.index(steps.len()), copy);
        prop_assert_eq!(judge(&ledger(count), steps).count(Finding::Twice), 1);
    }

    #[test]
    fn exchanged_neighbours_are_disorder(count in 2u64..60, which: prop::sample::Index) {
        let mut steps = honest(0, count);
        let index = 1 + which.index(steps.len() - 2);
        steps.swap(index, index + 1);
        prop_assert!(judge(&ledger(count), steps).count(Finding::Disorder) >= 1);
    }

    #[test]
    fn an_invented_event_is_a_phantom(count in 1u64..60, n in 1_000u64..) {
        let steps = [honest(0, count), vec![Step::Event { at: at(count + 1), fact: n }]].concat();
        prop_assert_eq!(judge(&ledger(count), steps).count(Finding::Phantom), 1);
    }
}
