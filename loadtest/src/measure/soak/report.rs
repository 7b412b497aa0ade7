//! What a soak comes to: the samples, and whether memory was flat and given back.

use serde::{Deserialize, Serialize};

use super::super::{percentiles::Percentiles, verdict::Outcome};

/// One look at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sample {
    /// Seconds since the rooms were full and the sessions there.
    pub(crate) second: f64,
    /// Memory in bytes.
    pub(crate) pss: u64,
    /// Sessions that there should be.
    pub(crate) sessions: u64,
    /// Open files and sockets.
    pub(crate) descriptors: u64,
    /// Cores used since the look before.
    pub(crate) cores: f64,
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Sessions at any time.
    pub(crate) sessions: u32,
    /// Companies that they belong to.
    pub(crate) companies: u32,
    /// Sessions that came, and as many that went, in a second.
    pub(crate) churn: u32,
    /// Events in a second.
    pub(crate) rate: u32,
    /// How long.
    pub(crate) seconds: u64,
    /// Sessions that came on top at the end.
    pub(crate) peak: u32,
    /// Sessions that there ever were.
    pub(crate) came: u64,
    /// Events published.
    pub(crate) published: u64,
    /// Events that reached a session.
    pub(crate) delivered: u64,
    /// Holes between two events of a session.
    pub(crate) missing: u64,
    /// Events that came again.
    pub(crate) doubles: u64,
    /// Sessions that were told that events may be missing.
    pub(crate) losses_told: u64,
    /// Connections that the gateway ended.
    pub(crate) cut: u64,
    /// Attempts that failed.
    pub(crate) refused: u64,
    /// Of events that came to a connected session.
    pub(crate) latency: Percentiles,
    /// How far a line through the last two thirds rises over them, as a share of its mean.
    pub(crate) growth: f64,
    /// More is not flat.
    pub(crate) max_growth: f64,
    /// Memory before the peak, at its height, and after the rest, in bytes.
    pub(crate) around_peak: [u64; 3],
    /// The share of what the peak took that was given back.
    pub(crate) given_back: f64,
    /// Less is not given back.
    pub(crate) min_given_back: f64,
    /// The soak itself, without the peak.
    pub(crate) samples: Vec<Sample>,
}

/// How far the line of least squares through the last two thirds of the samples rises over them, as a share of its mean.
pub(super) fn growth(samples: &[Sample]) -> f64 {
    let last = &samples[samples.len() / 3..];
    let count = last.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| last.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(&|sample| sample.second), mean(&|sample| sample.pss as f64));
    let covariance = mean(&|sample| (sample.second - mean_x) * (sample.pss as f64 - mean_y));
    let variance = mean(&|sample| (sample.second - mean_x).powi(2));
    match (last.first(), last.last()) {
        (Some(first), Some(last)) if variance > 0.0 => {
            covariance / variance * (last.second - first.second) / mean_y.max(1.0)
        }
        _ => 0.0,
    }
}

/// The share of what a peak took that was given back.
pub(super) fn given_back([before, height, after]: [u64; 3]) -> f64 {
    let took = height.saturating_sub(before).max(1) as f64;
    (height as f64 - after as f64) / took
}

impl Outcome for Report {
    fn lines(&self) -> Vec<String> {
        let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
        let [before, height, after] = self.around_peak.map(mib);
        let (least, most) = self
            .samples
            .iter()
            .fold((u64::MAX, 0), |(least, most), sample| (sample.pss.min(least), sample.pss.max(most)));
        vec![
            format!(
                "{} s with {} sessions of {} companies, {} of them exchanged a second ({} in all), {} events a second",
                self.seconds, self.sessions, self.companies, self.churn, self.came, self.rate
            ),
            format!("  memory               {:>9.1} to {:.1} MiB", mib(least), mib(most)),
            format!("  trend                {:>+9.2} % over the last two thirds", self.growth * 100.0),
            format!(
                "  peak of {:<12} {before:>9.1} MiB before, {height:.1} at its height, {after:.1} after: {:.0} % given back",
                self.peak,
                self.given_back * 100.0
            ),
            format!("  events               {:>9} published, {} delivered", self.published, self.delivered),
            format!("  latency              {}", self.latency),
            format!("  connections          {:>9} cut, {} attempts failed", self.cut, self.refused),
        ]
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if self.growth > self.max_growth {
            missed.push(format!(
                "memory grows: {:+.1} % over the last two thirds, at most {:.1} % count as flat",
                self.growth * 100.0,
                self.max_growth * 100.0
            ));
        }
        if self.given_back < self.min_given_back {
            let (given, least) = (self.given_back * 100.0, self.min_given_back * 100.0);
            missed.push(format!("{given:.0} % of what the peak took is given back, at least {least:.0} % should be"));
        }
        // Sessions come and go, so it is not known to the event how many there should be.
        let expected = self.published * u64::from(self.sessions) / u64::from(self.companies);
        if self.delivered < expected / 2 {
            missed.push(format!("{} events reached a session, some {expected} should have", self.delivered));
        }
        let Self { missing, doubles, losses_told, .. } = self;
        if missing + doubles + losses_told > 0 {
            missed.push(format!("{missing} events missing, {doubles} twice, {losses_told} losses told"));
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(pss: impl Fn(f64) -> f64) -> Vec<Sample> {
        let sample = |second: f64| Sample { second, pss: pss(second) as u64, sessions: 1, descriptors: 1, cores: 0.1 };
        (0..300u32).map(|number| sample(f64::from(number) * 10.0)).collect()
    }

    #[test]
    fn a_leak_shows_and_a_beginning_or_noise_does_not() {
        let wave = |second: f64| 1e7 + 2e5 * (second / 37.0).sin();
        assert!(growth(&samples(wave)).abs() < 0.01);
        assert!(growth(&samples(|second| if second < 900.0 { 5e6 + second * 5e3 } else { 1e7 })).abs() < 0.01);
        // A leak of 500 bytes a second: a megabyte in the last two thirds of 3,000 seconds.
        let leak = growth(&samples(|second| wave(second) + second * 500.0));
        assert!((0.06..0.12).contains(&leak), "{leak}");
        assert!(growth(&samples(|second| 2e7 - second * 1e3)) < 0.0);
        assert_eq!(growth(&samples(wave)[..1]), 0.0);
    }

    #[test]
    fn what_a_peak_took_and_gave_back() {
        assert!((given_back([10, 110, 20]) - 0.9).abs() < 1e-9);
        assert!(given_back([10, 110, 110]) < 1e-9);
        assert!(given_back([10, 110, 5]) > 1.0);
    }
}
