//! One company on this replica: where it stands in the log, and who may be told what.
//!
//! Pure: values in, [`Effect`]s out. The dispatcher carries them out. A room delivers an event only when it directly
//! follows the one before; everything else makes it read the log, once, for whoever waits. What the log cannot prove
//! becomes a `resync`, never silence.

mod effect;
mod joins;
mod position;
mod reasons;
mod recent;
mod run;
mod sync;
#[cfg(test)]
mod tests;

pub use effect::{Effect, Outcome};
pub use sync::{Room, Stage};
