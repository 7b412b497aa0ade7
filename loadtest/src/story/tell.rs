//! Tells a planned day: gives the customers names, the papers numbers, the works prices.

use chrono::{Datelike, Days, NaiveDate};
use shared::events::*;

use super::{
    calendar::in_france,
    company::Company,
    dice::Dice,
    plan::{CASES, Case, Step, plan},
    words::{ALARMS, APPOINTMENTS, FAMILIES, REASONS, REQUESTS, STREETS, THANKS},
};
use crate::business::Business;

/// One company's day: what happens at which second after midnight, in order.
pub(super) fn tell(seed: u64, company: &Company, date: NaiveDate) -> Vec<(u32, Business)> {
    let day = u64::from(date.num_days_from_ce().unsigned_abs());
    let mut dice = Dice::new([seed, u64::from(company.number) + 1, day, 1]);
    let cases = plan(&mut dice, company.trade.works(), company.trade.emergencies(), company.technicians.len());
    let mut files: Vec<File> =
        cases.iter().enumerate().map(|(n, case)| File::open(&mut dice, company, n, case)).collect();
    let mut steps: Vec<(u32, usize, Step)> = cases
        .iter()
        .enumerate()
        .flat_map(|(index, case)| case.steps.iter().map(move |&(second, step)| (second, index, step)))
        .collect();
    steps.sort_unstable();
    let mut teller = Teller { dice, company, date, papers: Papers::of(date) };
    steps.into_iter().map(|(second, index, step)| (second, teller.event(second, &mut files[index], step))).collect()
}

/// What is known of a case while it is told.
struct File {
    key: String,
    urgent: bool,
    client_id: String,
    client_name: String,
    city: &'static str,
    street: String,
    title: &'static str,
    amount_cents: i64,
    by: String,
    quote: String,
    invoice: String,
}

impl File {
    fn open(dice: &mut Dice, company: &Company, index: usize, case: &Case) -> Self {
        let title = if dice.chance(55) { "Mme" } else { "M." };
        let euros = dice.between(case.work.euros.0 / 10, case.work.euros.1 / 10) * 10;
        Self {
            key: format!("{}-{index}", company.number),
            urgent: case.urgent,
            client_id: String::new(),
            client_name: format!("{title} {}", dice.pick(FAMILIES)),
            city: dice.word(&company.towns),
            street: format!("{} {}", dice.between(1, 120), dice.pick(STREETS)),
            title: case.work.title,
            amount_cents: i64::from(euros) * 100,
            by: dice.pick(&company.office).clone(),
            quote: String::new(),
            invoice: String::new(),
        }
    }
}

/// The running numbers, which begin each day where the fullest day before could have ended.
struct Papers {
    year: i32,
    quote: u32,
    invoice: u32,
}

impl Papers {
    fn of(date: NaiveDate) -> Self {
        let before = date.ordinal0() * CASES.1;
        Self { year: date.year(), quote: before, invoice: before }
    }
}

struct Teller<'a> {
    dice: Dice,
    company: &'a Company,
    date: NaiveDate,
    papers: Papers,
}

impl Teller<'_> {
    fn event(&mut self, second: u32, file: &mut File, step: Step) -> Business {
        let moment = in_france(self.date, second);
        let day = self.date.format("%y%m%d");
        if file.client_id.is_empty() {
            file.client_id = format!("cl-{day}-{}", file.key);
        }
        let (client_id, client_name) = (file.client_id.clone(), file.client_name.clone());
        let (amount_cents, devis_id) = (file.amount_cents, format!("d-{day}-{}", file.key));
        let (intervention_id, facture_id) = (format!("i-{day}-{}", file.key), format!("f-{day}-{}", file.key));
        match step {
            Step::Client => Business::ClientCreated(ClientCreated {
                client_id,
                client_name,
                city: file.city.to_owned(),
                phone: Some(self.phone()),
                created_by: file.by.clone(),
                created_at: moment,
            }),
            Step::Request | Step::Appointment | Step::Thanks => Business::MessageReceived(MessageReceived {
                message_id: format!("m-{day}-{}-{second}", file.key),
                client_id,
                client_name,
                channel: *self.dice.pick(&[MessageChannel::Sms, MessageChannel::Email, MessageChannel::App]),
                preview: self.words(file.urgent, step).to_owned(),
                received_at: moment,
            }),
            Step::Quote => {
                self.papers.quote += 1;
                file.quote = format!("D-{}-{:03}", self.papers.year, self.papers.quote);
                Business::DevisCreated(DevisCreated {
                    devis_id,
                    number: file.quote.clone(),
                    title: file.title.to_owned(),
                    client_id,
                    client_name,
                    amount_cents,
                    created_by: file.by.clone(),
                    created_at: moment,
                })
            }
            Step::Signature => Business::DevisSigned(DevisSigned {
                devis_id,
                number: file.quote.clone(),
                client_id,
                signed_by: client_name.clone(),
                client_name,
                amount_cents,
                signed_at: moment,
            }),
            Step::Refusal => Business::DevisRejected(DevisRejected {
                devis_id,
                number: file.quote.clone(),
                client_id,
                rejected_by: client_name.clone(),
                client_name,
                amount_cents,
                reason: self.dice.word(REASONS).to_owned(),
                rejected_at: moment,
            }),
            Step::Start(technician) => Business::InterventionStarted(InterventionStarted {
                intervention_id,
                title: file.title.to_owned(),
                client_id,
                client_name,
                address: format!("{}, {}", file.street, file.city),
                technician_name: self.company.technicians[technician].clone(),
                started_at: moment,
            }),
            Step::Finish(technician, duration_minutes) => Business::InterventionCompleted(InterventionCompleted {
                intervention_id,
                title: file.title.to_owned(),
                client_id,
                client_name,
                technician_name: self.company.technicians[technician].clone(),
                duration_minutes,
                completed_at: moment,
            }),
            Step::Invoice => {
                self.papers.invoice += 1;
                file.invoice = format!("F-{}-{:03}", self.papers.year, self.papers.invoice);
                Business::FactureCreated(FactureCreated {
                    facture_id,
                    number: file.invoice.clone(),
                    devis_id: (!file.urgent).then_some(devis_id),
                    client_id,
                    client_name,
                    amount_cents,
                    due_on: self.date.checked_add_days(Days::new(30)).unwrap_or(self.date),
                    created_by: file.by.clone(),
                    created_at: moment,
                })
            }
            Step::Payment => Business::FacturePaid(FacturePaid {
                facture_id,
                number: file.invoice.clone(),
                client_id,
                client_name,
                amount_cents,
                method: self.method(file.urgent),
                paid_at: moment,
            }),
        }
    }

    fn words(&mut self, urgent: bool, step: Step) -> &'static str {
        self.dice.word(match step {
            Step::Appointment => APPOINTMENTS,
            Step::Thanks => THANKS,
            _ if urgent => ALARMS,
            _ => REQUESTS,
        })
    }

    /// Who was helped at once pays at once; from quotes most money comes by transfer.
    fn method(&mut self, urgent: bool) -> PaymentMethod {
        use PaymentMethod::{Card, Cash, Cheque, DirectDebit, Transfer};
        *self.dice.pick(if urgent {
            &[Card, Card, Card, Cheque, Cash]
        } else {
            &[Transfer, Transfer, Transfer, Card, Cheque, DirectDebit]
        })
    }

    /// From the range that is kept for fiction: 06 39 98 xx xx.
    fn phone(&mut self) -> String {
        format!("06 39 98 {:02} {:02}", self.dice.between(0, 99), self.dice.between(0, 99))
    }
}
