use super::{Load, balance::Door};

/// What a replica tells the others: `1 <beat> <connections> <moving> <limit> open|closed|draining`. `1` is the version of this format.
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
        let Load { connections, moving, limit, door } = self.load;
        format!("1 {} {connections} {moving} {limit} {}", self.beat, door.word())
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
        let word = words.next()?;
        let door = Door::ALL.into_iter().find(|door| door.word() == word)?;
        words.next().is_none().then_some(Self { beat, load: Load { connections, moving, limit, door } })
    }
}

impl Door {
    const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Draining];

    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Draining => "draining",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_round_trips_and_noise_is_none() {
        for door in Door::ALL {
            let report = Report { beat: 7, load: Load { connections: 40, moving: 3, limit: 100, door } };
            assert_eq!(Report::parse(&report.encode()), Some(report));
        }
        for noise in
            ["", "2 7 40 3 100 open", "1 7 40 100 open", "1 7 40 3 100 ajar", "1 7 40 3 100 open x", "1 -7 4 3 1 open"]
        {
            assert_eq!(Report::parse(noise), None, "{noise}");
        }
    }
}
