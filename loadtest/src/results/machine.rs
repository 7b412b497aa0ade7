//! The machine that measured, for whoever reads the figures.

use std::{fs, process::Command};

use serde::{Deserialize, Serialize};

use crate::measure::process::machine_cores;

/// A machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    /// Its processor.
    pub(crate) cpu: String,
    /// How many of them.
    pub(crate) cores: usize,
    /// Memory in GiB.
    pub(crate) memory_gib: f64,
    /// Its kernel.
    pub(crate) kernel: String,
    /// The Redis that is installed.
    pub(crate) redis: String,
}

impl Machine {
    /// This one.
    pub(crate) fn this() -> Self {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let kib: f64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
        Self {
            cpu: field("/proc/cpuinfo", "model name"),
            cores: machine_cores().unwrap_or(1),
            memory_gib: (kib / 1_048_576.0 * 10.0).round() / 10.0,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            redis: version("redis-server", &["--version"]),
        }
    }
}

/// The first thing in a program's first line that looks like a version.
fn version(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let words = text.lines().next().unwrap_or_default().split(|c: char| c.is_whitespace() || c == '/');
    let mut versions = words.map(|word| word.trim_start_matches(['v', '=', '(']).trim_start_matches("v="));
    let found = versions.find(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()));
    found.map_or_else(|| "unknown".to_owned(), |version| version.trim_end_matches([',', ')']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory_gib > 0.0 && !machine.kernel.is_empty(), "{machine:?}");
        assert_eq!(version("echo", &["Redis server v=7.0.15 sha=0:0"]), "7.0.15");
        assert_eq!(version("echo", &["nginx version: nginx/1.22.1"]), "1.22.1");
        assert_eq!(version("echo", &["v22.1.0"]), "22.1.0");
        assert_eq!(version("no-such-program", &[]), "unknown");
    }
}
