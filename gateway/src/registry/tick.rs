//! The clocks of a worker's sessions: heartbeats, expiry, silence. One timer for all of them.

use std::rc::Rc;

use shared::CloseCode;
use tokio::time::{MissedTickBehavior, interval};

use super::moves::Why;
use crate::{
    clock,
    config::PaceConfig,
    defaults::{CLOSE_GRACE, JOIN_TIMEOUT, MOVE_GRACE, SILENT_HEARTBEATS, STALLED, TICK},
    session::{Control, End, Item, Member, Sink, Stage},
    worker::Worker,
};

/// Looks at every session once a second. A session's heartbeat falls on the second that its slot says, so that the
/// heartbeats of many are spread.
pub async fn watch(worker: Rc<Worker>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unsent_before = 0;
    loop {
        ticks.tick().await;
        let tick = worker.advance_tick();
        let now = clock::unix_seconds();
        let heartbeat = worker.app.pace.heartbeat_secs;
        let mut unsent = 0;
        for (slot, registered) in &*worker.registry.sessions.borrow() {
            let member = &*registered.member;
            unsent += member.sink.unsent() as i64;
            match verdict(member, tick, now, &worker.app.pace) {
                Verdict::Nothing if tick % heartbeat == slot as u32 % heartbeat => beat(&worker, member),
                Verdict::Nothing => {}
                Verdict::End(code) => worker.registry.disconnect(registered, code, tick),
                Verdict::Move => {
                    let within_the_second = TICK.mul_f64(rand::random());
                    worker.ask_to_move(member, within_the_second, MOVE_GRACE, Why::Age);
                }
                Verdict::Abort => member.sink.abort(),
            }
        }
        worker.app.metrics.unsent.add(unsent - unsent_before);
        unsent_before = unsent;
        worker.registry.tell();
    }
}

enum Verdict {
    Nothing,
    End(CloseCode),
    Move,
    Abort,
}

fn verdict(member: &Member, tick: u32, now: u64, pace: &PaceConfig) -> Verdict {
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
                && tick.wrapping_sub(member.heard_at.get()) > (SILENT_HEARTBEATS + 1) * pace.heartbeat_secs =>
        {
            Verdict::Abort
        }
        (None, _) if tick >= member.leave_by.get() => Verdict::End(CloseCode::Restart),
        // Polls are short.
        (None, Stage::In)
            if pace.max_session_secs > 0
                && !member.places.is_moving()
                && !matches!(member.sink, Sink::Poll(_))
                && lasted >= member.lifespan(pace.max_session_secs) =>
        {
            Verdict::Move
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
