//! The clocks of a worker's sessions: heartbeats, expiry, silence. One timer for all of them.

use std::rc::Rc;

use shared::CloseCode;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    clock,
    defaults::{CLOSE_GRACE, JOIN_TIMEOUT, SILENT_HEARTBEATS, STALLED, TICK},
    session::{Control, End, Item, Member, Sink, Stage},
    worker::Worker,
};

/// Looks at every session once a second. A session's heartbeat falls on the second that its slot says, so that the
/// heartbeats of many are spread.
pub async fn watch(worker: Rc<Worker>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let tick = worker.advance_tick();
        let now = clock::unix_seconds();
        let heartbeat = worker.app.pace.heartbeat_secs;
        for (slot, registered) in &*worker.registry.sessions.borrow() {
            let member = &*registered.member;
            match verdict(member, tick, now, heartbeat) {
                Verdict::Nothing if tick % heartbeat == slot as u32 % heartbeat => beat(&worker, member),
                Verdict::Nothing => {}
                Verdict::End(code) => worker.registry.disconnect(registered, code, tick),
                Verdict::Abort => member.sink.abort(),
            }
        }
        worker.registry.tell();
    }
}

enum Verdict {
    Nothing,
    End(CloseCode),
    Abort,
}

fn verdict(member: &Member, tick: u32, now: u64, heartbeat: u32) -> Verdict {
    let lasted = tick.wrapping_sub(member.since.get());
    match (member.sink.end(), member.stage.get()) {
        (Some(End::Broken), _) => Verdict::Nothing,
        (Some(End::Closing(_)), Stage::Ended) if u64::from(lasted) > CLOSE_GRACE.as_secs() => Verdict::Abort,
        (Some(End::Closing(_)), Stage::Ended) => Verdict::Nothing,
        // It became slow while it was written to; its actor need not be asked.
        (Some(End::Closing(code)), _) => Verdict::End(code),
        (None, _) if clock::has_expired(member.expires_at.get(), now) => Verdict::End(CloseCode::TokenExpired),
        (None, _) if member.outbox().is_some_and(|outbox| u64::from(outbox.stalled_for(tick)) > STALLED.as_secs()) => {
            Verdict::End(CloseCode::SlowConsumer)
        }
        (None, _) if member.places.is_excess() => Verdict::End(CloseCode::TooManyConnections),
        (None, Stage::Joining) if u64::from(lasted) > JOIN_TIMEOUT.as_secs() => Verdict::End(CloseCode::Overloaded),
        (None, _)
            if member.outbox().is_some()
                && tick.wrapping_sub(member.heard_at.get()) > (SILENT_HEARTBEATS + 1) * heartbeat =>
        {
            Verdict::Abort
        }
        (None, _) => Verdict::Nothing,
    }
}

/// A poll ends before it would need one.
fn beat(worker: &Worker, member: &Member) {
    if !matches!(member.stage.get(), Stage::In | Stage::Deferred) {
        return;
    }
    match &member.sink {
        Sink::Socket(outbox) => outbox.send(&worker.frames.heartbeat_with_ping),
        Sink::Stream(feed) => feed.push(Item::Control(Control::Heartbeat, worker.frames.heartbeat.clone()), false),
        Sink::Poll(_) => {}
    }
}
