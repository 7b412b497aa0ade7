//! The negative controls: a receiver or a publisher that leaves one thing out. The oracle must find it, else it proves
//! nothing.

use std::time::Duration;

use tokio::time::sleep;

use super::frame::{Run, conclude};
use crate::{
    cli::CommonArgs,
    defaults::PUBLISH_DEADLINE,
    drill::{Drill, Options},
    faults::{Fault, chosen},
    oracle::{Finding, Verdict},
    receiver::{Habits, Transport},
    terminal::line,
    world::Toxic,
};

/// What a control leaves out, what makes that show, and what must be found.
struct Control {
    name: &'static str,
    leaves_out: fn(&mut Options),
    ordeal: Ordeal,
    must_find: Finding,
}

enum Ordeal {
    /// A fault of the list.
    Fault(u8),
    /// The answers to publishers do not arrive.
    NoAnswers,
    /// Nothing at all.
    Nothing,
}

const CONTROLS: [Control; 4] = [
    Control {
        name: "catch-up off: a receiver that forgets its cursor loses events",
        leaves_out: |options| options.habits = Habits { resumes: false, ..Habits::GOOD },
        ordeal: Ordeal::Fault(40),
        must_find: Finding::Lost,
    },
    Control {
        name: "gate off: a receiver that applies what comes again has it twice",
        leaves_out: |options| options.habits = Habits { gates: false, ..Habits::GOOD },
        ordeal: Ordeal::Fault(40),
        must_find: Finding::Twice,
    },
    Control {
        name: "dedupe off: a publisher that retries under a new event id stores twice",
        leaves_out: |options| options.careless = true,
        ordeal: Ordeal::NoAnswers,
        must_find: Finding::Twice,
    },
    Control {
        name: "tenant check off: a receiver with another company's token gets foreign events",
        leaves_out: |options| options.wrong_tokens = true,
        ordeal: Ordeal::Nothing,
        must_find: Finding::Foreign,
    },
];

pub(crate) async fn controls(args: CommonArgs) -> anyhow::Result<bool> {
    let run = Run::begin("controls", &args)?;
    let outcome = play(&run, &args).await;
    Ok(conclude(run, outcome))
}

async fn play(run: &Run, args: &CommonArgs) -> anyhow::Result<bool> {
    let (mut passed, mut failed) = (0, 0);
    let honest = attempt(run, args, "nothing left out", |_| {}, &Ordeal::Fault(40)).await?;
    let mut say = |name: &str, right: bool, verdict: &Verdict| {
        line(format!("test {name} ... {}", if right { "ok" } else { "FAILED" }));
        line(format!("     {verdict}"));
        *(if right { &mut passed } else { &mut failed }) += 1;
    };
    say("nothing left out: nothing is found", honest.is_clean(), &honest);
    for control in CONTROLS {
        let verdict = attempt(run, args, control.name, control.leaves_out, &control.ordeal).await?;
        say(control.name, verdict.count(control.must_find) > 0, &verdict);
    }
    line(format!("{passed} passed, {failed} failed"));
    Ok(failed == 0)
}

async fn attempt(
    run: &Run,
    args: &CommonArgs,
    name: &str,
    leaves_out: fn(&mut Options),
    ordeal: &Ordeal,
) -> anyhow::Result<Verdict> {
    run.folder.note(name);
    let mut options = Options { sessions: 20, companies: 4, transports: vec![Transport::Ws], ..run.options(args)? };
    leaves_out(&mut options);
    let mut drill = Drill::start(&run.folder, &options).await?;
    // Everybody has some events to forget, or to get again.
    sleep(Duration::from_secs(1)).await;
    match ordeal {
        Ordeal::Fault(number) => {
            let fault: &'static Fault = chosen(&[*number])?[0];
            // What it breaks is for the oracle to find, not for the drill.
            let _outcome = drill.suffer(fault).await;
        }
        Ordeal::NoAnswers => {
            drill.site.publishers.set(Toxic::NoAnswers);
            // Long enough for a first attempt to fail as unclear, and to be followed by another.
            sleep(PUBLISH_DEADLINE + Duration::from_millis(500)).await;
            drill.site.publishers.set(Toxic::Pass);
        }
        Ordeal::Nothing => {}
    }
    Ok(drill.finish_within(Duration::from_secs(5)).await.verdict)
}
