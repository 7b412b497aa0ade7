//! The measurements against a real gateway and a real Redis: small, but whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{path::Path, process::Stdio, time::SystemTime};

use serde_json::Value;
use support::{Gateway, gateway_bin, loadtest, stdout};

fn json(text: &str) -> Value {
    serde_json::from_str(text.lines().last().unwrap()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn everybody_comes_back_after_an_outage_with_one_read_of_each_log() {
    let line = ["resume", "--sessions", "200", "--companies", "10", "--events", "3", "--json"];
    let report = json(&stdout(loadtest(&line).args(["--max-log-reads", "10", "--gateway-bin"]).arg(gateway_bin())));
    assert_eq!(report["measure"], "resume");
    assert_eq!((&report["complete"], &report["delivered"]), (&200.into(), &600.into()), "{report}");
}

#[test]
fn a_soak_sees_every_event_while_sessions_come_and_go() {
    let line = ["soak", "--seconds", "5", "--sessions", "60", "--companies", "3", "--rest", "2", "--every", "1"];
    let more = ["--churn", "30", "--peak", "100", "--rate", "30", "--json"];
    // Seconds say nothing of memory.
    let lax = ["--max-growth=9", "--min-given-back=-9", "--gateway-bin"];
    let report = json(&stdout(loadtest(&line).args(more).args(lax).arg(gateway_bin())));
    assert!(report["came"].as_u64().unwrap() > 300, "{report}");
    // Each event reaches about twenty sessions.
    let [published, delivered] = ["published", "delivered"].map(|name| report[name].as_u64().unwrap());
    assert!(published > 200 && delivered > 10 * published, "{report}");
    assert_eq!((&report["missing"], &report["doubles"]), (&0.into(), &0.into()), "{report}");
    assert!(report["samples"].as_array().unwrap().len() >= 4);
}

#[test]
fn several_generators_add_up_in_one_report() {
    let gateway = Gateway::start();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 3;
    let generators: Vec<_> = ["one", "two"]
        .map(|name| {
            let line = ["latency", "--sessions", "20", "--rooms", "2", "--seconds", "1", "--name", name];
            let start = ["--start-at", &at.to_string(), "--redis", &gateway.redis.url(), "--report"].map(str::to_owned);
            loadtest(&line).args(gateway.arguments()).args(start).arg(file(name)).stdout(Stdio::null()).spawn().unwrap()
        })
        .into();
    for mut generator in generators {
        assert!(generator.wait().unwrap().success());
    }
    stdout(loadtest(&["storm", "--sessions", "100"]).args(gateway.arguments()).arg("--report").arg(file("storm")));
    let names = ["one", "two", "storm"].map(file);
    let out = ["html", "md", "json"].map(|end| file(&format!("report.{end}")));
    let mut report = loadtest(&["report"]);
    report.args(&names).arg("--html").arg(&out[0]).arg("--markdown").arg(&out[1]).arg("--json").arg(&out[2]);
    assert!(stdout(&mut report).contains("Latency under light load, median"));
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let results: Value = serde_json::from_str(&read(&out[2])).unwrap();
    let runs = results["runs"].as_array().unwrap();
    let latency = runs.iter().find(|run| run["outcome"]["measure"] == "latency").unwrap();
    assert_eq!(latency["generator"], "one+two");
    // Each of them: 50 events to ten sessions.
    assert_eq!(latency["outcome"]["step"]["delivered"], 1_000, "{latency}");
    assert_eq!(latency["outcome"]["step"]["latency"]["count"], 1_000);
    assert!(runs.iter().any(|run| run["outcome"]["accepted"] == 100), "{runs:?}");
    assert!(read(&out[0]).contains("</html>") && read(&out[1]).contains("## Machine"));
    // The same file twice is a mistake, not a second generator.
    for files in [[0, 0, 1], [0, 1, 0]] {
        let twice = loadtest(&["report"]).args(files.map(|file| &names[file])).output().unwrap();
        assert!(!twice.status.success());
    }
}

#[test]
fn a_bench_runs_and_says_what_it_cannot_start() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bench.json");
    let line = ["bench", "--quick", "--systems", "gateway", "--measures", "storm,cpu", "--rounds", "1", "--out"];
    let text = stdout(loadtest(&line).arg(&out).arg("--gateway-bin").arg(gateway_bin()));
    assert!(text.contains("Sessions accepted a second"), "{text}");
    let text = stdout(loadtest(&line).arg(&out).args(["--gateway-bin", "/no/such/gateway"]));
    assert!(text.contains("does not start"), "{text}");
}
