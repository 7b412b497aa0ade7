//! `autoscale`: the manifests' way of scaling, at work on real processes.
//!
//! Clients ([`crowd`]) come through real HAProxys ([`balancer`]) to real gateways, which [`cluster`] starts, rolls and
//! drains as Kubernetes would. A real Prometheus ([`prometheus`]) scrapes them; what the ScaledObject asks it goes through
//! KEDA's rules ([`keda`]) and the autoscaler's ([`hpa`]), all of it as the rendered [`manifests`] say. The [`story`] has a
//! peak at which Prometheus is gone, and a rolling restart; [`world`] holds the loops together while events flow.
//! [`record`] and [`picture`] tell what came of it.
//!
//! Everything that the cluster waits for passes `--speed` times as fast, drains included; the gateway's own clocks do not.

mod balancer;
mod cluster;
mod crowd;
mod hpa;
mod keda;
mod manifests;
mod picture;
mod prometheus;
mod record;
mod run;
mod story;
mod world;

use std::{path::PathBuf, process::ExitCode};

use crate::{
    measure::{children::interrupted, verdict::conclude},
    terminal,
};

/// What to play, and where to put the result.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The manifests, rendered: kubectl kustomize k8s/overlays/keda
    #[arg(long, value_name = "FILE")]
    manifests: PathBuf,
    /// Sessions at the peak; a quarter of them stays
    #[arg(long, value_name = "N", default_value_t = 12_000, value_parser = clap::value_parser!(u32).range(100..=18_000))]
    sessions: u32,
    /// Companies that they belong to
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rooms: u32,
    /// Events a second
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    events: u32,
    /// How many minutes of the cluster pass in one
    #[arg(long, value_name = "N", default_value_t = 6.0, value_parser = speed)]
    speed: f64,
    /// What a replica is to hold, instead of what the manifests say: for a small run
    #[arg(long, value_name = "N")]
    target: Option<f64>,
    /// Where autoscale.svg and autoscale.json go
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// The gateway's program; a release build [default: `gateway` beside this program]
    #[arg(long, value_name = "PATH")]
    gateway_bin: Option<PathBuf>,
    /// The Redis to start
    #[arg(long, value_name = "PATH", default_value = "redis-server")]
    redis_bin: PathBuf,
    /// The HAProxy to start
    #[arg(long, value_name = "PATH", default_value = "haproxy")]
    haproxy_bin: PathBuf,
    /// The Prometheus to start
    #[arg(long, value_name = "PATH", default_value = "prometheus")]
    prometheus_bin: PathBuf,
}

fn speed(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|speed| (1.0..=30.0).contains(speed)).ok_or_else(|| "1 to 30".to_owned())
}

/// Runs the command.
pub(crate) async fn command(args: Args) -> anyhow::Result<ExitCode> {
    let report = tokio::select! {
        report = run::play(&args) => report?,
        code = interrupted() => return Ok(code),
    };
    std::fs::create_dir_all(&args.out)?;
    std::fs::write(args.out.join("autoscale.svg"), picture::draw(&report))?;
    std::fs::write(args.out.join("autoscale.json"), serde_json::to_vec_pretty(&report)?)?;
    terminal::note(format!("written: autoscale.svg and autoscale.json in {}", args.out.display()));
    conclude(&report, false)
}
