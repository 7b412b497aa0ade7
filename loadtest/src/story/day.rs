//! A day of several companies, in the order of the clock.

use chrono::{DateTime, NaiveDate, Utc};
use shared::{EventId, IdError};

use super::{Company, calendar::in_france, tell::tell};
use crate::business::Business;

/// Something that happens in one of the companies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds after midnight on a clock in France.
    pub(crate) second: u32,
    /// Index of the company.
    pub(crate) company: usize,
    /// What makes it unique, the same in every run.
    pub(crate) event_id: EventId,
    /// What happens.
    pub(crate) event: Business,
}

/// The events of one day.
#[derive(Debug)]
pub(crate) struct Day {
    /// The day.
    pub(crate) date: NaiveDate,
    moments: std::vec::IntoIter<Moment>,
}

impl Day {
    /// The day of these companies under this seed.
    pub(crate) fn new(seed: u64, companies: &[Company], date: NaiveDate) -> Result<Self, IdError> {
        let mut moments = Vec::new();
        for (index, company) in companies.iter().enumerate() {
            for (n, (second, event)) in tell(seed, company, date).into_iter().enumerate() {
                let event_id = EventId::parse(&format!("sim-{seed}-{}-{}-{n}", company.id, date.format("%Y%m%d")))?;
                moments.push(Moment { second, company: index, event_id, event });
            }
        }
        moments.sort_by_key(|moment| (moment.second, moment.company));
        Ok(Self { date, moments: moments.into_iter() })
    }

    /// The moment at which clocks in France show so many seconds after midnight.
    pub(crate) fn clock(&self, second: u32) -> DateTime<Utc> {
        in_france(self.date, second)
    }
}

impl Iterator for Day {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        self.moments.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.moments.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{
        super::plan::{CLOSES, OPENS},
        *,
    };

    fn day(seed: u64, companies: u32, date: &str) -> Vec<Moment> {
        Day::new(seed, &Company::first(companies).unwrap(), date.parse().unwrap()).unwrap().collect()
    }

    #[test]
    fn the_same_seed_tells_the_same_day() {
        assert_eq!(day(7, 3, "2026-11-23"), day(7, 3, "2026-11-23"));
        assert_ne!(day(7, 3, "2026-11-23"), day(8, 3, "2026-11-23"));
        assert_ne!(day(7, 3, "2026-11-23"), day(7, 3, "2026-11-24"));
    }

    #[test]
    fn a_companys_day_does_not_depend_on_how_many_others_there_are() {
        let few = day(7, 2, "2026-11-23");
        let many: Vec<_> = day(7, 9, "2026-11-23").into_iter().filter(|moment| moment.company < 2).collect();
        assert_eq!(few, many);
    }

    #[test]
    fn a_week_of_a_company_has_every_type_and_pauses_for_lunch() {
        let week: Vec<_> = (23..28).flat_map(|d| day(1, 1, &format!("2026-11-{d}"))).collect();
        let count = |event_type: &str| week.iter().filter(|moment| moment.event.event_type() == event_type).count();
        for event_type in shared::events::TYPES {
            assert!(count(event_type) > 0, "no {event_type} among {}", week.len());
        }
        assert!(count("devis:signed") > count("devis:rejected"));
        let between = |from: u32, to: u32| week.iter().filter(|m| (from..to).contains(&(m.second / 60))).count();
        assert!(between(735, 795) * 3 < between(660, 720), "lunch is as busy as the hour before");
    }

    /// What has to have happened in the same company, under the same key, before each type of event.
    fn rule(event: &Business) -> (String, Option<String>) {
        match event {
            Business::DevisCreated(e) => (format!("quoted {}", e.devis_id), None),
            Business::DevisSigned(e) => (format!("signed {}", e.devis_id), Some(format!("quoted {}", e.devis_id))),
            Business::DevisRejected(e) => (format!("refused {}", e.devis_id), Some(format!("quoted {}", e.devis_id))),
            Business::InterventionStarted(e) => (format!("started {}", e.client_id), None),
            Business::InterventionCompleted(e) => {
                (format!("done {}", e.client_id), Some(format!("started {}", e.client_id)))
            }
            Business::FactureCreated(e) => (format!("billed {}", e.facture_id), Some(format!("done {}", e.client_id))),
            Business::FacturePaid(e) => (format!("paid {}", e.facture_id), Some(format!("billed {}", e.facture_id))),
            Business::ClientCreated(e) => (format!("client {}", e.client_id), None),
            Business::MessageReceived(e) => (format!("message {}", e.message_id), None),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn everything_happens_in_a_plausible_order(seed: u64, days in 0u64..2000) {
            let date: NaiveDate = "2026-01-01".parse().unwrap();
            let date = date + chrono::Days::new(days);
            let companies = Company::first(3).unwrap();
            let mut done: HashMap<(usize, String), u32> = HashMap::new();
            let mut quoted: HashMap<(usize, String), String> = HashMap::new();
            let mut busy: HashMap<(usize, String), String> = HashMap::new();
            let mut last = OPENS;
            let mut ids = std::collections::HashSet::new();
            for moment in Day::new(seed, &companies, date).unwrap() {
                prop_assert!((last..CLOSES).contains(&moment.second));
                last = moment.second;
                prop_assert!(ids.insert(moment.event_id.clone()));
                let (fact, needed) = rule(&moment.event);
                let at = |fact: String| (moment.company, fact);
                if let Some(needed) = needed {
                    prop_assert!(done.contains_key(&at(needed.clone())), "{fact} before {needed}");
                }
                match &moment.event {
                    Business::DevisCreated(e) => {
                        quoted.insert(at(e.client_id.clone()), e.devis_id.clone());
                    }
                    Business::InterventionStarted(e) => {
                        if let Some(quote) = quoted.get(&at(e.client_id.clone())) {
                            prop_assert!(done.contains_key(&at(format!("signed {quote}"))), "unsigned job");
                        }
                        let other = busy.insert(at(e.technician_name.clone()), e.intervention_id.clone());
                        prop_assert_eq!(other, None, "in two places at once");
                    }
                    Business::InterventionCompleted(e) => {
                        prop_assert!(e.duration_minutes > 0);
                        busy.remove(&at(e.technician_name.clone()));
                    }
                    _ => {}
                }
                prop_assert_eq!(done.insert(at(fact), moment.second), None, "twice");
            }
        }
    }
}
