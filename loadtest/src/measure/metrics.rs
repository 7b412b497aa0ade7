//! The gateway's own counts, from its admin listener.

use anyhow::Context;
use reqwest::Url;

use crate::defaults::HTTP_TIMEOUT;

/// The two counters that prove "encoded once".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Events encoded.
    pub(crate) encoded: u64,
    /// Events handed to sessions.
    pub(crate) deliveries: u64,
}

impl Counts {
    /// As the gateway has them now.
    pub(crate) async fn scrape(url: &Url) -> anyhow::Result<Self> {
        let text = text(url).await?;
        let counter = |name| sum(&text, name).with_context(|| format!("{url} has no {name}"));
        Ok(Self { encoded: counter("gateway_frames_encoded_total")?, deliveries: counter("gateway_deliveries_total")? })
    }

    /// What was added since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            encoded: self.encoded.saturating_sub(earlier.encoded),
            deliveries: self.deliveries.saturating_sub(earlier.deliveries),
        }
    }
}

/// One counter as the gateway has it now.
pub(crate) async fn counter(url: &Url, name: &str) -> anyhow::Result<u64> {
    sum(&text(url).await?, name).with_context(|| format!("{url} has no {name}"))
}

async fn text(url: &Url) -> anyhow::Result<String> {
    let client = reqwest::Client::builder().timeout(HTTP_TIMEOUT).no_proxy().build()?;
    let response = client.get(url.clone()).send().await.and_then(reqwest::Response::error_for_status);
    Ok(response.with_context(|| format!("cannot read {url} (--admin)"))?.text().await?)
}

/// The sum of a counter's samples; `None` when there is none.
fn sum(text: &str, name: &str) -> Option<u64> {
    let samples = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once("} ")?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split(' ').next()?.parse::<f64>().ok()
    });
    let mut sum = None;
    for sample in samples {
        *sum.get_or_insert(0.0) += sample;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter is a whole number")]
    sum.map(|sum: f64| sum as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_add_up_and_other_names_do_not() {
        let text = "# HELP a_total x\n# TYPE a_total counter\na_total{worker=\"0\"} 3\na_total{worker=\"1\"} 4\n\
                    a_total_more 9\nb_total 5\n";
        assert_eq!(sum(text, "a_total"), Some(7));
        assert_eq!(sum(text, "b_total"), Some(5));
        assert_eq!(sum(text, "c_total"), None);
    }
}
