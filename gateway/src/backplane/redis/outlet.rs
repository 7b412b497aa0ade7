//! Where a link tells what happens to it.

use shared::CompanyId;
use tokio::sync::mpsc;

use crate::backplane::{Scope, Signal, SignalSender};

/// What happens to a link.
#[derive(Debug)]
pub(super) enum Report {
    /// It is up, perhaps to another server than before.
    Up { moved: bool },
    /// It is down, or could not be opened.
    Down,
    /// From here on these are heard.
    Subscribed(Vec<CompanyId>),
    /// These are not heard, or no longer: their slot is another's.
    Astray(Vec<CompanyId>),
}

/// Tells a link from others, also from an earlier one to the same server.
pub(super) type LinkId = u64;

/// The way out of a link.
#[derive(Clone)]
pub(super) struct Outlet {
    /// Announcements go straight to the dispatcher.
    pub(super) signals: SignalSender,
    /// The rest goes to whoever keeps the links of a cluster together and knows whose company is whose.
    pub(super) keeper: Option<(LinkId, mpsc::Sender<(LinkId, Report)>)>,
}

impl Outlet {
    pub(super) async fn tell(&self, report: Report) {
        let signal = match (&self.keeper, report) {
            (Some((link, keeper)), report) => {
                // It lives as long as the program; at its end nobody needs the report.
                let _ = keeper.send((*link, report)).await;
                return;
            }
            (None, Report::Up { moved }) => Signal::Up { moved, scope: Scope::All },
            (None, Report::Down) => Signal::Down(Scope::All),
            (None, Report::Subscribed(companies)) => Signal::Subscribed(companies),
            // One server has all slots.
            (None, Report::Astray(_)) => return,
        };
        self.signals.send(signal).await;
    }
}
