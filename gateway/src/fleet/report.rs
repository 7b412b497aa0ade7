use super::Load;

/// What a replica tells the others: `1 <beat> <connections> <moving> <limit> open|closed`. `1` is the version of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Counts up with each report, so that nobody's clock is asked whether it is fresh.
    pub beat: u64,
    /// What it holds.
    pub load: Load,
}

impl Report {
    /// For Redis.
    #[must_use]
    pub fn encode(&self) -> String {
        let Load { connections, moving, limit, open } = self.load;
        format!("1 {} {connections} {moving} {limit} {}", self.beat, if open { "open" } else { "closed" })
    }

    /// Reads a report; `None` for one that is not understood, of a later release for example.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next() != Some("1") {
            return None;
        }
        let mut number = || words.next()?.parse().ok();
        let (beat, connections, moving, limit) = (number()?, number()?, number()?, number()?);
        let open = match words.next()? {
            "open" => true,
            "closed" => false,
            _ => return None,
        };
        words.next().is_none().then_some(Self { beat, load: Load { connections, moving, limit, open } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_round_trips_and_noise_is_none() {
        for open in [true, false] {
            let report = Report { beat: 7, load: Load { connections: 40, moving: 3, limit: 100, open } };
            assert_eq!(Report::parse(&report.encode()), Some(report));
        }
        for noise in
            ["", "2 7 40 3 100 open", "1 7 40 100 open", "1 7 40 3 100 ajar", "1 7 40 3 100 open x", "1 -7 4 3 1 open"]
        {
            assert_eq!(Report::parse(noise), None, "{noise}");
        }
    }
}
