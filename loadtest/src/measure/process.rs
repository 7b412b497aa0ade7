//! Memory and CPU of processes and of the machine, from `/proc`.

use anyhow::Context;

use crate::defaults::TICKS_PER_SECOND;

/// CPU time spent, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cpu {
    /// In the program.
    pub(crate) user: f64,
    /// In the kernel on its behalf.
    pub(crate) system: f64,
}

impl Cpu {
    /// Of a process so far.
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        parse_stat(&read(&format!("/proc/{pid}/stat"))?).with_context(|| format!("/proc/{pid}/stat"))
    }

    /// Of several processes together.
    pub(crate) fn of_all(pids: &[u32]) -> anyhow::Result<Self> {
        pids.iter().try_fold(Self::default(), |sum, pid| {
            let one = Self::of(*pid)?;
            Ok(Self { user: sum.user + one.user, system: sum.system + one.system })
        })
    }

    /// Of this process so far.
    pub(crate) fn own() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }

    /// What was spent since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
    }

    /// Both together.
    pub(crate) fn total(self) -> f64 {
        self.user + self.system
    }
}

/// The machine's idle time so far, in seconds of one core.
pub(crate) fn machine_idle() -> anyhow::Result<f64> {
    let stat = read("/proc/stat")?;
    let mut fields = stat.lines().next().unwrap_or_default().split_ascii_whitespace().skip(4);
    let ticks: f64 = fields.next().context("/proc/stat")?.parse()?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// The machine's cores, whichever of them this program may use.
pub(crate) fn machine_cores() -> anyhow::Result<usize> {
    let is_core =
        |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    Ok(read("/proc/stat")?.lines().filter(is_core).count())
}

/// A process and all that it has started, directly or not.
pub(crate) fn family(pid: u32) -> anyhow::Result<Vec<u32>> {
    let mut family = vec![pid];
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")?
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let parent = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut looked_at = 0;
    while let Some(&parent) = family.get(looked_at) {
        family.extend(parents.iter().filter(|(_, its)| *its == parent).map(|(pid, _)| *pid));
        looked_at += 1;
    }
    Ok(family)
}

/// Open files and sockets of a process.
pub(crate) fn descriptors(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/fd");
    Ok(std::fs::read_dir(&path).with_context(|| format!("cannot read {path}"))?.count() as u64)
}

/// Memory of several processes together, in bytes.
pub(crate) fn pss_of_all(pids: &[u32]) -> anyhow::Result<u64> {
    pids.iter().map(|pid| pss(*pid)).sum()
}

/// Memory that a process keeps from others, shared pages by their share, in bytes.
pub(crate) fn pss(pid: u32) -> anyhow::Result<u64> {
    parse_rollup(&read(&format!("/proc/{pid}/smaps_rollup"))?).with_context(|| format!("/proc/{pid}/smaps_rollup"))
}

fn read(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

/// The command's name may hold spaces and brackets; the fields follow the last bracket.
fn parse_stat(stat: &str) -> Option<Cpu> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut seconds = || Some(fields.next()?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    Some(Cpu { user: seconds()?, system: seconds()? })
}

fn parse_rollup(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_linux_writes_it() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 125 0 0 20 0 1 0 1 1 1";
        assert_eq!(parse_stat(stat), Some(Cpu { user: 2.5, system: 1.25 }));
        assert_eq!(parse_stat("42 (a"), None);
        let rollup =
            "55-7f ---p 00000000 00:00 0  [rollup]\nRss:  2000 kB\nPss:                1500 kB\nPss_Dirty: 1 kB\n";
        assert_eq!(parse_rollup(rollup), Some(1500 * 1024));
    }

    #[test]
    fn this_very_process_can_be_read() {
        assert!(pss(std::process::id()).unwrap() > 0);
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(family(std::process::id()).unwrap().contains(&child.id()));
        assert_eq!(family(child.id()).unwrap(), [child.id()]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Cpu::own().unwrap().total() >= 0.0);
        assert!(machine_idle().unwrap() > 0.0);
        assert!(machine_cores().unwrap() >= std::thread::available_parallelism().unwrap().get());
    }
}
