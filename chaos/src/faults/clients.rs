//! Clients on bad lines. What happens to them must not touch the others.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::{
    drill::Drill,
    receiver::{Order, Receiver, Transport},
    world::{Loss, Toxic, eventually, within},
};

/// How late the others' events may be, on a machine that is busy with all of this.
const UNDISTURBED: Duration = Duration::from_secs(3);

/// Heavy events, 60 KiB each: more than sockets and balancer hold for a reader, and 1 MiB.
const STALL_EVENTS: usize = 150;

pub(super) async fn slow_lines(drill: &mut Drill) -> anyhow::Result<()> {
    drill.site.receivers.set(Toxic::Throttle(2_000));
    sleep(drill.between_ms(500, 2_000)).await;
    let others = others_keep_up(drill, &[]).await;
    sleep(drill.between_ms(500, 2_000)).await;
    drill.site.receivers.set(Toxic::Pass);
    others
}

/// One packet in twenty is dropped, in both directions.
pub(super) async fn lossy_lines(drill: &mut Drill) -> anyhow::Result<()> {
    let loss = Loss::start(drill.site.receivers.address().port(), 5).await?;
    sleep(drill.between_ms(1_000, 3_000)).await;
    let others = others_keep_up(drill, &[]).await;
    sleep(drill.between_ms(1_000, 3_000)).await;
    loss.stop().await?;
    others
}

/// They keep their connections and read nothing, until the gateway has had enough of them. Its word for that comes
/// behind what the network still holds, so they learn of it when they read again.
pub(super) async fn stall(drill: &mut Drill) -> anyhow::Result<()> {
    let company = drill.any_company();
    let stalled = |receiver: &&Receiver| {
        receiver.company == company && receiver.transport == Transport::Ws && receiver.address == drill.site.public()
    };
    let stalled: Vec<_> = drill.receivers.iter().filter(stalled).take(3).collect();
    let before: Vec<u32> = stalled.iter().map(|receiver| receiver.progress().cuts).collect();
    stalled.iter().for_each(|receiver| receiver.order(Order::Stall));
    for _ in 0..STALL_EVENTS / 10 {
        join_all((0..10).map(|_| drill.sender.publish_heavy(&company))).await;
    }
    let others = others_keep_up(drill, &stalled).await;
    stalled.iter().for_each(|receiver| receiver.order(Order::Listen));
    let closed = stalled
        .iter()
        .zip(before)
        .map(|(receiver, before)| receiver.until(move |progress| (progress.cuts > before).then_some(())));
    within("readers that stalled are closed as slow", UNDISTURBED, join_all(closed)).await?;
    others
}

/// The line is dead and nobody says so: the gateway must reap them.
pub(super) async fn half_open(drill: &mut Drill) -> anyhow::Result<()> {
    const ENDED: &str = "gateway_sessions_closed_total";
    let dead = |receiver: &&Receiver| receiver.transport == Transport::Ws && receiver.address != drill.site.public();
    let dead = drill.receivers.iter().filter(dead).count() as f64;
    // Who is still on the way back from the fault before would be counted as reaped.
    within("everybody is connected", UNDISTURBED, drill.all_connected()).await?;
    let before = drill.site.metrics().await?.get(ENDED)?;
    drill.site.receivers.set(Toxic::BlackHole);
    let reaped = eventually("half-open clients are reaped", Duration::from_secs(15), async || {
        let ended = drill.site.metrics().await?.get(ENDED)? - before;
        anyhow::ensure!(ended >= dead, "{ended} sessions have ended, {dead} are dead");
        Ok(())
    })
    .await;
    let others = others_keep_up(drill, &[]).await;
    drill.site.receivers.set(Toxic::Pass);
    reaped.and(others)
}

async fn others_keep_up(drill: &Drill, but: &[&Receiver]) -> anyhow::Result<()> {
    let marks = drill.mark_all().await?;
    let well = |receiver: &&Receiver| {
        receiver.address == drill.site.public() && !but.iter().any(|one| std::ptr::eq(*one, *receiver))
    };
    let others = drill.receivers.iter().filter(well);
    let caught_up = others.map(|receiver| {
        let (marker, at) = marks[&receiver.company];
        receiver.caught_up(marker, at)
    });
    within("receivers on good lines are not disturbed", UNDISTURBED, join_all(caught_up)).await?;
    Ok(())
}
