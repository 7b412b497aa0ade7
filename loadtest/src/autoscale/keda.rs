//! What KEDA hands to the autoscaler: the query's answer, or what the ScaledObject says of the lack of one. Pure.

use serde::Deserialize;

/// `fallback` of the manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fallback {
    failure_threshold: u32,
    replicas: u32,
    #[serde(default)]
    behavior: FallbackBehavior,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum FallbackBehavior {
    /// So many, whatever there are.
    #[default]
    Static,
    CurrentReplicas,
    CurrentReplicasIfHigher,
    CurrentReplicasIfLower,
}

/// What came of asking Prometheus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Answer {
    /// A number.
    Value(f64),
    /// No series.
    Nothing,
    /// Prometheus could not be asked.
    Unreachable,
}

/// A trigger with its memory.
#[derive(Debug)]
pub(super) struct Trigger {
    threshold: f64,
    ignore_null_values: bool,
    fallback: Option<Fallback>,
    failures: u32,
}

/// What the autoscaler is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// The sum; `None`: an error.
    pub(super) sum: Option<f64>,
    /// Made up, since there is no answer.
    pub(super) made_up: bool,
}

impl Trigger {
    pub(super) fn new(threshold: f64, ignore_null_values: bool, fallback: Option<Fallback>) -> Self {
        Self { threshold, ignore_null_values, fallback, failures: 0 }
    }

    /// Passes an answer on.
    pub(super) fn read(&mut self, answer: Answer, current: u32) -> Reading {
        let sum = match answer {
            Answer::Value(sum) => Some(sum),
            Answer::Nothing if self.ignore_null_values => Some(0.0),
            Answer::Nothing | Answer::Unreachable => None,
        };
        if sum.is_some() {
            self.failures = 0;
            return Reading { sum, made_up: false };
        }
        self.failures += 1;
        let made_up = self.fallback.as_ref().filter(|fallback| self.failures > fallback.failure_threshold);
        let sum = made_up.map(|fallback| {
            let replicas = match fallback.behavior {
                FallbackBehavior::Static => fallback.replicas,
                FallbackBehavior::CurrentReplicas => current,
                FallbackBehavior::CurrentReplicasIfHigher => current.max(fallback.replicas),
                FallbackBehavior::CurrentReplicasIfLower => current.min(fallback.replicas),
            };
            f64::from(replicas) * self.threshold
        });
        Reading { sum, made_up: sum.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fallback(behavior: &str) -> Option<Fallback> {
        let text = format!(r#"{{"failureThreshold": 3, "replicas": 4, "behavior": "{behavior}"}}"#);
        Some(serde_json::from_str(&text).unwrap())
    }

    fn sums(trigger: &mut Trigger, answers: &[Answer], current: u32) -> Vec<Option<f64>> {
        answers.iter().map(|answer| trigger.read(*answer, current).sum).collect()
    }

    #[test]
    fn no_answer_is_an_error_first_and_then_what_there_is() {
        for answer in [Answer::Nothing, Answer::Unreachable] {
            let mut trigger = Trigger::new(2_500.0, false, fallback("currentReplicasIfHigher"));
            assert_eq!(sums(&mut trigger, &[answer; 4], 6), [None, None, None, Some(15_000.0)]);
            assert_eq!(sums(&mut trigger, &[answer], 2), [Some(10_000.0)], "few replicas become more");
            assert_eq!(sums(&mut trigger, &[Answer::Value(7.0), answer], 6), [Some(7.0), None], "it counts anew");
        }
    }

    #[test]
    fn a_static_fallback_would_take_replicas_away() {
        let mut trigger = Trigger::new(2_500.0, false, fallback("static"));
        assert_eq!(sums(&mut trigger, &[Answer::Unreachable; 4], 6).last(), Some(&Some(10_000.0)));
    }

    #[test]
    fn kedas_own_default_takes_nothing_for_zero() {
        let mut trigger = Trigger::new(2_500.0, true, None);
        assert_eq!(sums(&mut trigger, &[Answer::Nothing, Answer::Unreachable], 6), [Some(0.0), None]);
    }
}
