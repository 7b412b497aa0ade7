//! What a session is told when nothing can be proven.

pub(super) const TRIMMED: &str = "the log no longer holds what followed";
pub(super) const REBORN: &str = "the log is not the one that was read before";
pub(super) const REPLACED: &str = "the log holds another event under a number that was delivered";
pub(super) const UNPROVEN: &str = "an event was announced that the log does not hold";
pub(super) const TOO_FAR: &str = "too much has happened since";
pub(super) const JOINED_DEGRADED: &str = "joined while Redis was unreachable";
