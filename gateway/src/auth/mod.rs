//! Who is let in: a token becomes an [`Identity`], from which alone the room follows; browsers must come from an
//! allowed [`Origin`].
//!
//! [`Verifier`] checks a token against the one key, or against the set that is fetched and chosen from by `kid`;
//! [`Revocations`] knows whose tokens count no more, though they are good.

mod error;
mod identity;
mod jwks;
mod key;
mod key_set;
mod origin;
mod revocations;
mod token;
mod verifier;

pub use error::AuthError;
pub use identity::Identity;
pub use origin::{Origin, Origins};
pub use revocations::Revocations;
pub use token::{bearer_of_headers, sign};
pub use verifier::Verifier;
