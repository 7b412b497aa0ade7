//! Many Redis: a link to each primary of a cluster, and each company on the one that serves its slot.
//!
//! The [`keeper`], one task, knows the topology, says which link is to hear whom, and is the only one through whom what
//! links report reaches the dispatcher: so a company that has gone to another link is not told what happens to the one
//! that it left. Whoever asks something finds the connection in the [`directory`].

mod directory;
mod keeper;
mod shard;

pub(super) use directory::Directory;
pub(super) use keeper::Keeper;
