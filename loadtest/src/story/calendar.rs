//! Working days, and what the clock shows in France.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, Utc, Weekday};

/// The day after `date` on which people work.
pub(crate) fn next_working_day(date: NaiveDate) -> NaiveDate {
    let mut next = date;
    loop {
        next = next.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MIN);
        if !matches!(next.weekday(), Weekday::Sat | Weekday::Sun) {
            return next;
        }
    }
}

/// The moment at which a clock in France shows so many seconds after midnight.
pub(super) fn in_france(date: NaiveDate, second_of_day: u32) -> DateTime<Utc> {
    let local = date.and_time(NaiveTime::MIN) + Duration::seconds(i64::from(second_of_day));
    (local - Duration::hours(if summer_time(date) { 2 } else { 1 })).and_utc()
}

/// From the last Sunday of March to the one of October; at working hours the switch is over.
fn summer_time(date: NaiveDate) -> bool {
    let last_sunday = |month| {
        let last = NaiveDate::from_ymd_opt(date.year(), month, 31).unwrap_or(date);
        last - Days::new(u64::from(last.weekday().num_days_from_sunday()))
    };
    (last_sunday(3)..last_sunday(10)).contains(&date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn monday_follows_friday() {
        assert_eq!(next_working_day(date("2026-11-27")), date("2026-11-30"));
        assert_eq!(next_working_day(date("2026-11-23")), date("2026-11-24"));
    }

    #[test]
    fn clocks_in_france_change_twice_a_year() {
        let nine = |day| in_france(date(day), 9 * 3600).to_rfc3339();
        assert_eq!(nine("2026-03-28"), "2026-03-28T08:00:00+00:00");
        assert_eq!(nine("2026-03-29"), "2026-03-29T07:00:00+00:00");
        assert_eq!(nine("2026-10-24"), "2026-10-24T07:00:00+00:00");
        assert_eq!(nine("2026-10-25"), "2026-10-25T08:00:00+00:00");
    }
}
