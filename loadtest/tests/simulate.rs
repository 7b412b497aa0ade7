//! `simulate` against a real Redis: what it publishes, and that it publishes it once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{Redis, loadtest, stdout};

const DAY: &[&str] = &["simulate", "--day", "2026-11-23", "--rate", "100000", "--companies", "3"];

fn published(output: &str) -> u64 {
    let summary = output.lines().last().unwrap();
    summary.split(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{summary}"))
}

#[test]
fn the_same_day_twice_publishes_nothing_twice() {
    let redis = Redis::start();
    let first = stdout(loadtest(DAY).args(["--redis", &redis.url()]));
    let count = published(&first);
    assert!(count > 60, "{first}");
    assert_eq!(first.lines().count() as u64, count + 1, "a line per event and a summary");
    let logged = |company: &str| redis.log_length(company);
    let companies = ["plomberie-lefevre", "electricite-moreau", "plomberie-garnier"];
    assert_eq!(companies.iter().map(|company| logged(company)).sum::<u64>(), count);

    let again = stdout(loadtest(DAY).args(["--redis", &redis.url(), "--quiet"]));
    assert_eq!(published(&again), 0, "{again}");
    assert!(again.contains(&format!("{count} already there")), "{again}");
    assert_eq!(companies.iter().map(|company| logged(company)).sum::<u64>(), count);

    // The control: another seed is another story.
    let other = stdout(loadtest(DAY).args(["--redis", &redis.url(), "--quiet", "--seed", "2"]));
    assert!(published(&other) > 60, "{other}");
}

#[test]
fn what_is_published_is_what_a_gateway_forwards() {
    let redis = Redis::start();
    stdout(loadtest(DAY).args(["--redis", &redis.url(), "--quiet", "--stamp", "story"]));
    let records = redis.log("plomberie-lefevre");
    assert!(records.len() > 20);
    for (index, record) in records.iter().enumerate() {
        let record = shared::Record::parse(record.as_bytes()).unwrap();
        assert_eq!(record.id.seq, index as u64 + 1);
        let frame: shared::EventFrame = serde_json::from_str(record.frame).unwrap();
        assert_eq!((frame.id, frame.company_id.as_str()), (record.id, "plomberie-lefevre"));
        assert!(frame.time.to_rfc3339().starts_with("2026-11-23T"), "{}", frame.time);
    }
}

#[test]
fn companies_are_listed_without_any_target() {
    let list = stdout(&mut loadtest(&["simulate", "--list", "--companies", "2"]));
    let ids: Vec<&str> = list.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ids, ["plomberie-lefevre", "electricite-moreau"]);
}

#[test]
fn nonsense_is_refused_in_one_line_with_code_2() {
    for wrong in [["--speed", "0"], ["--rate", "-1"], ["--companies", "0"], ["--day", "monday"]] {
        let output = loadtest(&["simulate"]).args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
