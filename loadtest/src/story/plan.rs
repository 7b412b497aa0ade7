//! The plan of a company's day: which customer comes when, and what follows from it.
//!
//! Each case is a chain in which every step comes after the one before: call, quote, signature, job, invoice, payment.
//! What would fall after closing time stays undone, and with it the rest of the chain.

use super::{dice::Dice, words::Work};

/// Half past seven.
pub(super) const OPENS: u32 = 7 * 3600 + 1800;
/// Seven in the evening.
pub(super) const CLOSES: u32 = 19 * 3600;
const LUNCH: std::ops::Range<u32> = 12 * 3600 + 900..13 * 3600 + 1800;
/// Of what would happen over lunch, so many percent wait for the afternoon.
const WAITS_FOR_THE_AFTERNOON: u32 = 85;
/// Fewest and most customers who come on one day; the numbering of quotes leaves room for the most.
pub(super) const CASES: (u32, u32) = (8, 12);
/// Per cent of the customers who need help at once, without a quote.
const URGENT: u32 = 25;

/// What happens in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The customer is new.
    Client,
    /// The customer writes before anything is agreed.
    Request,
    /// A quote is drawn up.
    Quote,
    /// The quote is signed.
    Signature,
    /// The quote is refused; the end.
    Refusal,
    /// The customer writes about the appointment.
    Appointment,
    /// The job starts, done by this technician.
    Start(usize),
    /// The job is finished after so many minutes.
    Finish(usize, u32),
    /// The customer writes after the job.
    Thanks,
    /// The invoice goes out.
    Invoice,
    /// The money comes in.
    Payment,
}

/// One customer's matter.
pub(super) struct Case {
    /// Whether it is done without a quote.
    pub(super) urgent: bool,
    /// What is to be done.
    pub(super) work: &'static Work,
    /// What happens at which second of the day, in order.
    pub(super) steps: Vec<(u32, Step)>,
}

/// The cases of one day.
pub(super) fn plan(
    dice: &mut Dice,
    works: &'static [Work],
    emergencies: &'static [Work],
    technicians: usize,
) -> Vec<Case> {
    let count = dice.between(CASES.0, CASES.1);
    let mut free_from = vec![OPENS; technicians];
    let slot = (CLOSES - 3 * 3600 - OPENS) / count;
    (0..count)
        .map(|index| {
            let from = OPENS + index * slot;
            let opening = dice.between(from, from + slot);
            let urgent = dice.chance(URGENT);
            let work = dice.pick(if urgent { emergencies } else { works });
            let mut chain = Chain { dice: &mut *dice, now: opening, steps: Vec::new() };
            chain.play(urgent, work, &mut free_from);
            Case { urgent, work, steps: chain.steps }
        })
        .collect()
}

/// A case that is being planned, at a point of the day.
struct Chain<'a> {
    dice: &'a mut Dice,
    now: u32,
    steps: Vec<(u32, Step)>,
}

impl Chain<'_> {
    /// Whether everybody has gone home: then nothing more happens.
    fn over(&self) -> bool {
        self.now >= CLOSES
    }

    fn then(&mut self, minutes: (u32, u32), step: Step) {
        self.now += self.dice.between(minutes.0 * 60, minutes.1 * 60).max(1);
        if LUNCH.contains(&self.now) && self.dice.chance(WAITS_FOR_THE_AFTERNOON) {
            self.now = LUNCH.end + (self.now - LUNCH.start) / 3;
        }
        if !self.over() {
            self.steps.push((self.now, step));
        }
    }

    fn play(&mut self, urgent: bool, work: &Work, free_from: &mut [u32]) {
        if self.dice.chance(45) {
            self.then((0, 2), Step::Client);
        }
        if self.dice.chance(if urgent { 80 } else { 35 }) {
            self.then((1, 6), Step::Request);
        }
        if !urgent && !self.quote() {
            return;
        }
        self.job(urgent, work, free_from);
        self.then((4, 35), Step::Invoice);
        if self.dice.chance(if urgent { 85 } else { 55 }) {
            self.then(if urgent { (2, 15) } else { (10, 110) }, Step::Payment);
        }
    }

    /// Whether there is a signature in the end.
    fn quote(&mut self) -> bool {
        self.then((6, 40), Step::Quote);
        match self.dice.between(1, 100) {
            1..=68 => self.then((8, 70), Step::Signature),
            69..=86 => {
                self.then((15, 120), Step::Refusal);
                return false;
            }
            _ => return false,
        }
        if self.dice.chance(40) {
            self.then((3, 15), Step::Appointment);
        }
        true
    }

    /// By the technician who is free first.
    fn job(&mut self, urgent: bool, work: &Work, free_from: &mut [u32]) {
        let technician = (0..free_from.len()).min_by_key(|&index| free_from[index]).unwrap_or_default();
        self.now = self.now.max(free_from[technician]);
        self.then(if urgent { (8, 30) } else { (10, 45) }, Step::Start(technician));
        let minutes = self.dice.between(work.minutes.0, work.minutes.1);
        let started = self.now;
        self.then((minutes, minutes), Step::Finish(technician, minutes));
        if let Some((at, Step::Finish(_, took))) = self.steps.last_mut() {
            *took = (*at - started) / 60;
        }
        if self.steps.last().is_some_and(|(_, step)| matches!(step, Step::Start(_) | Step::Finish(..))) {
            free_from[technician] = self.now;
        }
        if self.dice.chance(30) {
            self.then((2, 20), Step::Thanks);
        }
    }
}
