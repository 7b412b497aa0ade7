//! Finds the highest rate of deliveries that a system holds: doubled, then closer. Each try gets a system of its own,
//! since one that broke has a backlog.

use super::super::fanout;
use crate::{system::Subject, terminal};

/// Each step up or down, until there is a rate that holds and one that does not.
const STRIDE: f64 = 2.0;
/// Close enough.
const CLOSE: f64 = 1.1;
/// However close it is by then.
const TRIES: usize = 10;

/// Where the search stands. Pure.
#[derive(Debug, Clone, Copy)]
struct Search {
    rate: f64,
    held: Option<f64>,
    broke: Option<f64>,
}

impl Search {
    /// The rate to try next, after one that held or did not; `None`: close enough.
    fn next(&mut self, held: bool) -> Option<f64> {
        *if held { &mut self.held } else { &mut self.broke } = Some(self.rate);
        self.rate = match (self.held, self.broke) {
            (Some(held), Some(broke)) if broke <= held * CLOSE => return None,
            (Some(held), Some(broke)) => (held * broke).sqrt(),
            (Some(held), None) => held * STRIDE,
            (None, Some(broke)) => broke / STRIDE,
            (None, None) => return None,
        };
        Some(self.rate)
    }
}

/// Searches from a first rate on.
pub(super) async fn search(
    first: f64,
    load: &fanout::Load,
    start: impl AsyncFn() -> anyhow::Result<Subject>,
) -> anyhow::Result<fanout::Report> {
    let mut search = Search { rate: first, held: None, broke: None };
    let mut found: Option<fanout::Report> = None;
    for _ in 0..TRIES {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "deliveries a second")]
        let load = fanout::Load { deliveries: search.rate as u32, ..load.clone() };
        let tried = async { fanout::measure(&mut start().await?, &load).await }.await;
        let held = match (tried, &mut found) {
            (Ok(report), found) => {
                let held = report.held > 0.0;
                match found {
                    Some(found) => found.also(report),
                    None => *found = Some(report),
                }
                held
            }
            // Something was measured already: a try that breaks off is a rate that is not held.
            (Err(error), Some(_)) => {
                terminal::note(format!("  {} a second: {error:#}", load.deliveries));
                false
            }
            (Err(error), None) => return Err(error),
        };
        if search.next(held).is_none() {
            break;
        }
    }
    found.ok_or_else(|| anyhow::anyhow!("nothing was tried"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(first: f64, limit: f64) -> (f64, usize) {
        let mut search = Search { rate: first, held: None, broke: None };
        let mut tries = 1;
        while tries < TRIES && search.next(search.rate <= limit).is_some() {
            tries += 1;
        }
        (search.held.unwrap_or_default(), tries)
    }

    #[test]
    fn the_limit_is_found_from_below_and_from_above() {
        for (first, limit) in [(100_000.0, 480_000.0), (100_000.0, 30_000.0), (90_000.0, 100_000.0)] {
            let (held, tries) = found(first, limit);
            assert!(held <= limit && held >= limit / 1.15, "{first}: {held} of {limit}");
            assert!(tries <= TRIES, "{tries}");
        }
        assert!(found(90_000.0, 100_000.0).1 <= 5, "a good first rate saves tries");
    }
}
