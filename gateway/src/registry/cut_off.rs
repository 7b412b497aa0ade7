//! Ending the sessions of those who were cut off.

use std::rc::Rc;

use shared::CloseCode;
use tokio::time::sleep;

use crate::{defaults::REVOCATIONS_PACE, session::Stage, worker::Worker};

/// Looks through the worker's sessions whenever somebody was cut off.
pub async fn cut_off(worker: Rc<Worker>) {
    let mut changes = worker.app.revocations.changes();
    while changes.changed().await.is_ok() {
        for (_, registered) in &*worker.registry.sessions.borrow() {
            let member = &registered.member;
            if member.stage.get() != Stage::Ended && worker.app.is_revoked(member) {
                worker.registry.disconnect(registered, CloseCode::Forbidden, worker.tick());
            }
        }
        sleep(REVOCATIONS_PACE).await;
    }
}
