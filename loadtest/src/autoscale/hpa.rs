//! What the HorizontalPodAutoscaler makes of a metric, as Kubernetes documents it: tolerance, stabilisation, policies.
//! Pure; time is the cluster's, and only ever given.

use std::{cmp, time::Duration};

use serde::Deserialize;

/// A deviation that is left alone (`--horizontal-pod-autoscaler-tolerance`).
const TOLERANCE: f64 = 0.1;

/// `behavior` of the manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Behavior {
    scale_up: Rules,
    scale_down: Rules,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    stabilization_window_seconds: u64,
    select_policy: Select,
    policies: Vec<Policy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Select {
    Max,
    Min,
    Disabled,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    r#type: Kind,
    value: u32,
    period_seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Kind {
    Pods,
    Percent,
}

/// An autoscaler with its memory.
#[derive(Debug)]
pub(super) struct Hpa {
    min: u32,
    max: u32,
    /// What a replica is to hold (`averageValue`).
    target: f64,
    behavior: Behavior,
    recommendations: Vec<(Duration, u32)>,
    added: Vec<(Duration, u32)>,
    removed: Vec<(Duration, u32)>,
}

impl Hpa {
    pub(super) fn new(min: u32, max: u32, target: f64, behavior: Behavior) -> Self {
        Self { min, max, target, behavior, recommendations: vec![], added: vec![], removed: vec![] }
    }

    /// One sync: the replicas that there are to be. Without a metric nothing is done.
    pub(super) fn sync(&mut self, now: Duration, current: u32, sum: Option<f64>) -> u32 {
        let Some(sum) = sum else { return current };
        let ratio = sum / (self.target * f64::from(current));
        let proposed = if (ratio - 1.0).abs() <= TOLERANCE { current } else { whole(sum / self.target) };
        let stabilized = self.stabilize(now, current, proposed);
        let replicas = self.limit(now, current, stabilized);
        match replicas.cmp(&current) {
            cmp::Ordering::Greater => self.added.push((now, replicas - current)),
            cmp::Ordering::Less => self.removed.push((now, current - replicas)),
            cmp::Ordering::Equal => {}
        }
        replicas
    }

    /// Goes up to the least, and down to the most, that was recommended within the windows.
    fn stabilize(&mut self, now: Duration, current: u32, proposed: u32) -> u32 {
        let window = |rules: &Rules| Duration::from_secs(rules.stabilization_window_seconds);
        let (up, down) = (window(&self.behavior.scale_up), window(&self.behavior.scale_down));
        self.recommendations.retain(|(at, _)| now - *at <= up.max(down));
        let within = |window: Duration| {
            self.recommendations.iter().filter(move |(at, _)| now - *at < window).map(|(_, replicas)| *replicas)
        };
        let least = within(up).fold(proposed, u32::min);
        let most = within(down).fold(proposed, u32::max);
        self.recommendations.push((now, proposed));
        current.max(least).min(most)
    }

    /// Goes no farther at a time than the policies allow.
    fn limit(&self, now: Duration, current: u32, wanted: u32) -> u32 {
        let changed = |changes: &[(Duration, u32)], policy: &Policy| -> u32 {
            let period = Duration::from_secs(policy.period_seconds);
            changes.iter().filter(|(at, _)| now - *at < period).map(|(_, count)| count).sum()
        };
        // The replicas at the beginning of the policy's period.
        let began = |policy| (current + changed(&self.removed, policy)).saturating_sub(changed(&self.added, policy));
        let (up, down) = (&self.behavior.scale_up, &self.behavior.scale_down);
        if wanted > current {
            let reach = up.policies.iter().map(|policy| match policy.r#type {
                Kind::Pods => began(policy) + policy.value,
                Kind::Percent => whole(f64::from(began(policy)) * (1.0 + f64::from(policy.value) / 100.0)),
            });
            let reach = match up.select_policy {
                Select::Max => reach.max(),
                Select::Min => reach.min(),
                Select::Disabled => None,
            };
            wanted.min(reach.unwrap_or(current).max(current)).min(self.max)
        } else {
            let reach = down.policies.iter().map(|policy| match policy.r#type {
                Kind::Pods => began(policy).saturating_sub(policy.value),
                Kind::Percent => whole(f64::from(began(policy)) * (1.0 - f64::from(policy.value) / 100.0)),
            });
            let reach = match down.select_policy {
                // The one that changes the most takes the most away.
                Select::Max => reach.min(),
                Select::Min => reach.max(),
                Select::Disabled => None,
            };
            wanted.max(reach.unwrap_or(current).min(current)).max(self.min)
        }
    }
}

/// So many replicas as are needed for it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of replicas")]
pub(super) fn whole(count: f64) -> u32 {
    count.ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behavior(down: &str) -> Behavior {
        let up = r#"{"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 60}, {"type": "Pods", "value": 4, "periodSeconds": 60}]}"#;
        serde_json::from_str(&format!(r#"{{"scaleUp": {up}, "scaleDown": {down}}}"#)).unwrap()
    }

    fn careful() -> Hpa {
        let down = r#"{"stabilizationWindowSeconds": 600, "selectPolicy": "Min", "policies": [
            {"type": "Pods", "value": 1, "periodSeconds": 120}]}"#;
        Hpa::new(2, 20, 2_500.0, behavior(down))
    }

    /// Syncs every 15 s from `from` on; the replicas after each.
    fn syncs(hpa: &mut Hpa, from: u64, current: &mut u32, sums: impl IntoIterator<Item = Option<f64>>) -> Vec<u32> {
        let mut now = Duration::from_secs(from);
        let mut seen = vec![];
        for sum in sums {
            *current = hpa.sync(now, *current, sum);
            seen.push(*current);
            now += Duration::from_secs(15);
        }
        seen
    }

    #[test]
    fn it_goes_up_at_once_but_no_faster_than_the_policies() {
        let (mut hpa, mut current) = (careful(), 2);
        // 2 -> 6 by four pods; then 6 + 4 = 10 would need a minute, 30,000 / 2,500 = 12 two.
        assert_eq!(syncs(&mut hpa, 0, &mut current, [Some(30_000.0); 6]), [6, 6, 6, 6, 12, 12]);
    }

    #[test]
    fn a_tenth_more_or_less_is_left_alone() {
        let (mut hpa, mut current) = (careful(), 4);
        assert_eq!(syncs(&mut hpa, 0, &mut current, [Some(10_900.0), Some(9_100.0), Some(11_100.0)]), [4, 4, 5]);
    }

    #[test]
    fn it_goes_down_after_the_window_one_at_a_time() {
        let (mut hpa, mut current) = (careful(), 5);
        assert_eq!(syncs(&mut hpa, 0, &mut current, [Some(12_000.0)]), [5]);
        let seen = syncs(&mut hpa, 15, &mut current, [Some(3_000.0); 64]);
        let first = seen.iter().position(|&replicas| replicas < 5).unwrap();
        assert_eq!(first * 15 + 15, 600, "the last high recommendation has left the window");
        assert_eq!(&seen[first..first + 17], [4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 2]);
        assert_eq!(seen.last(), Some(&2), "the minimum");
    }

    #[test]
    fn a_moment_of_little_takes_nothing_away() {
        let (mut hpa, mut current) = (careful(), 5);
        let sums = [12_000.0, 0.0, 12_000.0, 3_000.0, 12_000.0].map(Some);
        assert_eq!(syncs(&mut hpa, 0, &mut current, sums), [5; 5]);
    }

    #[test]
    fn without_a_metric_nothing_is_done() {
        let (mut hpa, mut current) = (careful(), 5);
        assert_eq!(syncs(&mut hpa, 0, &mut current, [None; 100]), [5; 100]);
    }

    #[test]
    fn kubernetes_own_defaults_would_take_everything_away() {
        let down = r#"{"stabilizationWindowSeconds": 300, "selectPolicy": "Max", "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 15}]}"#;
        let (mut hpa, mut current) = (Hpa::new(2, 20, 2_500.0, behavior(down)), 12);
        syncs(&mut hpa, 0, &mut current, [Some(30_000.0)]);
        assert_eq!(syncs(&mut hpa, 15, &mut current, [Some(0.0); 20]).last(), Some(&2));
    }
}
