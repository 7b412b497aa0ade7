//! Who is let in: a token becomes an [`Identity`], from which alone the room follows; browsers must come from an
//! allowed [`Origin`].

mod identity;
mod origin;
mod token;
mod verifier;

pub use identity::Identity;
pub use origin::{Origin, Origins};
pub use token::{bearer_of_headers, sign};
pub use verifier::{AuthError, Verifier};
