//! Who used the processor over a span: the system, this program, everybody else, nobody.

use serde::{Deserialize, Serialize};

use super::process::{Cpu, machine_cores, machine_idle};
use crate::{clock::now_us, defaults::RESERVE, system::Subject};

/// The processor's clocks at one moment.
pub(crate) struct Clocks {
    at_us: u64,
    system: Option<Cpu>,
    own: Cpu,
    idle: f64,
    cores: usize,
}

/// What was used since. All in cores but the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    /// How long, in seconds.
    pub(crate) seconds: f64,
    /// By the system's processes, where they are known.
    pub(crate) system_cores: Option<f64>,
    /// Of that, in its own code.
    pub(crate) system_user_cores: Option<f64>,
    /// By this program.
    pub(crate) own_cores: f64,
    /// By nobody.
    pub(crate) idle_cores: f64,
    /// By everybody else: Redis, and what has no business here during a measurement.
    pub(crate) other_cores: f64,
}

impl Clocks {
    /// Now.
    pub(crate) fn read(pids: &[u32]) -> anyhow::Result<Self> {
        let system = (!pids.is_empty()).then(|| Cpu::of_all(pids)).transpose()?;
        Ok(Self { at_us: now_us(), system, own: Cpu::own()?, idle: machine_idle()?, cores: machine_cores()? })
    }

    /// What was used from here until `later`.
    pub(crate) fn until(&self, later: &Self) -> Usage {
        let seconds = (later.at_us - self.at_us).max(1) as f64 / 1e6;
        let system = later.system.zip(self.system).map(|(later, earlier)| later.since(earlier));
        let idle_cores = (later.idle - self.idle) / seconds;
        let own_cores = later.own.since(self.own).total() / seconds;
        let system_cores = system.map(|cpu| cpu.total() / seconds);
        Usage {
            seconds,
            system_cores,
            system_user_cores: system.map(|cpu| cpu.user / seconds),
            own_cores,
            idle_cores,
            other_cores: (self.cores as f64 - idle_cores - own_cores - system_cores.unwrap_or_default()).max(0.0),
        }
    }
}

impl Subject {
    /// The clocks, with those of its processes.
    pub(crate) fn clocks(&self) -> anyhow::Result<Clocks> {
        Clocks::read(&self.pids)
    }
}

impl Usage {
    /// Microseconds of the system's CPU for each of `count`: all of it, and its own code.
    pub(crate) fn each(&self, count: u64) -> (Option<f64>, Option<f64>) {
        let each = |cores: f64| cores * self.seconds * 1e6 / count.max(1) as f64;
        (self.system_cores.map(each), self.system_user_cores.map(each))
    }

    /// Of two generators, what the one saw that knows the system.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.system_cores.is_some() { self } else { other }
    }

    /// Why a figure may say more about the generator than about the system. `reserve` is the share of the time in which
    /// the busiest of the generator's threads had nothing to do.
    pub(crate) fn bottleneck(&self, reserve: f64) -> Option<String> {
        let thread = format!("the generator: its thread waited only {:.0} % of the time", reserve * 100.0);
        let (own, system) = (self.own_cores, self.system_cores.unwrap_or(f64::MAX));
        let whole = format!("the generator takes more than the system: {own:.2} cores against {system:.2}");
        [
            (reserve < RESERVE).then_some(thread),
            (own > system).then_some(whole),
            (self.idle_cores < RESERVE).then(|| "the machine: no core was left".to_owned()),
        ]
        .into_iter()
        .flatten()
        .reduce(|one, other| format!("{one}; {other}"))
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let system = self.system_cores.map(|cores| format!("system {cores:.2}, ")).unwrap_or_default();
        format!(
            "cores: {system}generator {:.2}, others {:.2}, idle {:.2}",
            self.own_cores, self.other_cores, self.idle_cores
        )
    }
}

/// What each took that two generators counted at the same time. Whoever knows the system saw all of its CPU.
pub(crate) fn each_of_both(one: (Option<f64>, u64), other: (Option<f64>, u64)) -> Option<f64> {
    let all = |(each, count): (Option<f64>, u64)| each.map(|each| each * count as f64);
    let seen = all(one).into_iter().chain(all(other)).reduce(f64::max);
    seen.map(|seen| seen / (one.1 + other.1).max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_of_a_system_is_shared_by_all_that_two_generators_counted() {
        assert_eq!(each_of_both((Some(4.0), 100), (None, 300)), Some(1.0));
        assert_eq!(each_of_both((Some(4.0), 100), (Some(1.5), 300)), Some(1.125));
        assert_eq!(each_of_both((None, 1), (None, 1)), None);
    }

    #[test]
    fn the_generator_says_when_it_was_in_the_way() {
        let usage = Usage {
            seconds: 2.0,
            system_cores: Some(1.0),
            system_user_cores: Some(0.25),
            own_cores: 0.5,
            idle_cores: 0.4,
            other_cores: 0.1,
        };
        assert_eq!(usage.bottleneck(0.5), None);
        assert!(usage.bottleneck(0.01).unwrap().contains("1 %"));
        assert!(Usage { own_cores: 1.2, ..usage }.bottleneck(0.5).unwrap().contains("more than the system"));
        let all = Usage { own_cores: 1.2, idle_cores: 0.0, ..usage }.bottleneck(0.5).unwrap();
        assert!(all.contains("more than the system") && all.contains("machine"), "{all}");
        assert_eq!(Usage { own_cores: 1.2, system_cores: None, ..usage }.bottleneck(0.5), None);
        assert_eq!(usage.each(1_000_000), (Some(2.0), Some(0.5)));
    }
}
