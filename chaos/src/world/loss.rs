//! Packets that get lost, by a packet filter. Only in a network of our own: nobody else is to lose any.

use anyhow::{Context, ensure};
use tokio::process::Command;

/// Set by `scripts/own-network`.
const OWN_NETWORK: &str = "CHAOS_OWN_NETWORK";

/// Packets to and from one port are dropped by chance, until [`stop`](Self::stop).
pub(crate) struct Loss(());

impl Loss {
    /// What is missing to do this here, if anything is.
    pub(crate) fn missing() -> Option<&'static str> {
        let own = std::env::var_os(OWN_NETWORK).is_some();
        let nft = std::path::Path::new("/usr/sbin/nft").exists();
        match (own, nft) {
            (true, true) => None,
            (false, _) => Some("not in a network of its own: scripts/own-network"),
            (true, false) => Some("no nft"),
        }
    }

    pub(crate) async fn start(port: u16, percent: u8) -> anyhow::Result<Self> {
        let rule = |direction: &str| {
            format!("add rule inet chaos lossy tcp {direction} {port} numgen random mod 100 < {percent} drop\n")
        };
        let chain = "add table inet chaos\nadd chain inet chaos lossy { type filter hook input priority 0; }\n";
        nft(&format!("{chain}{}{}", rule("dport"), rule("sport"))).await?;
        Ok(Self(()))
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        nft("delete table inet chaos").await
    }
}

async fn nft(commands: &str) -> anyhow::Result<()> {
    let output = Command::new("/usr/sbin/nft").arg(commands).output().await.context("nft")?;
    ensure!(output.status.success(), "nft: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
