//! Who is where, on one worker: company -> sessions, by what they may receive.
//!
//! [`Registry`] lets sessions in and out and tells the dispatcher; [`deliver`] takes what the dispatcher sends; [`moves`]
//! asks sessions to go elsewhere. All on the worker's thread, without locks.

mod cut_off;
mod deliver;
mod moves;
mod sessions;
mod tick;

pub use cut_off::cut_off;
pub use deliver::run;
pub use moves::Why;
pub use sessions::Registry;
pub use tick::watch;
