//! A distribution of times in a report: the figures that people read, and the histogram, which adds up with others.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2DeflateSerializer},
};
use serde::{Deserialize, Serialize};

/// Milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Percentiles {
    /// How many there were.
    pub(crate) count: u64,
    /// The median.
    pub(crate) p50_ms: f64,
    /// One in ten took longer.
    pub(crate) p90_ms: f64,
    /// One in a hundred took longer.
    pub(crate) p99_ms: f64,
    /// The longest.
    pub(crate) max_ms: f64,
    /// All of it, in microseconds: HdrHistogram's V2 format, deflated, as base64.
    histogram: String,
}

impl Percentiles {
    /// Of a histogram of microseconds.
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let quantile = |q: f64| histogram.value_at_quantile(q) as f64 / 1_000.0;
        let mut bytes = Vec::new();
        // Into memory, and all counts fit: it cannot fail.
        let _written = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
        Self {
            count: histogram.len(),
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
            max_ms: histogram.max() as f64 / 1_000.0,
            histogram: BASE64_STANDARD.encode(bytes),
        }
    }

    /// The histogram that it was made of.
    pub(crate) fn histogram(&self) -> anyhow::Result<Histogram<u64>> {
        let bytes = BASE64_STANDARD.decode(&self.histogram)?;
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| anyhow::anyhow!("histogram: {error}"))
    }

    /// Of two generators together.
    pub(crate) fn and(&self, other: &Self) -> anyhow::Result<Self> {
        let mut sum = self.histogram()?;
        sum.add(other.histogram()?).map_err(|error| anyhow::anyhow!("histograms: {error}"))?;
        Ok(Self::of(&sum))
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_ms, p90_ms, p99_ms, max_ms, .. } = self;
        write!(f, "p50 {p50_ms:.2} p90 {p90_ms:.2} p99 {p99_ms:.2} max {max_ms:.1} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_two_generators_are_those_of_all_their_times() {
        let of = |values: std::ops::Range<u64>| {
            let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 3).unwrap();
            values.for_each(|value| histogram.record(value * 1_000).unwrap());
            Percentiles::of(&histogram)
        };
        let (fast, slow, both) = (of(1..101), of(101..201), of(1..201));
        let sum = fast.and(&slow).unwrap();
        assert_eq!(sum, both);
        assert_eq!(sum.count, 200);
        assert!((sum.p50_ms - 100.0).abs() < 0.2, "{sum}");
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<Percentiles>(&text).unwrap(), sum);
        assert!(Percentiles { histogram: "x".to_owned(), ..sum }.histogram().is_err());
    }
}
