//! The words that both ends of the realtime gateway speak. No I/O and no async here.
//!
//! An API service fills a typed [`events`] struct; the `publisher` wraps it into an [`Envelope`], whose
//! [`Record`] form travels through Redis under the names of [`keys`]; the `gateway` hands the frame inside to every
//! session of the [`CompanyId`]. A client names the place that it has reached with a [`Cursor`].
//!
//! Everything that crosses the wire is a type of this crate. Their JSON Schemas are in `shared/schema`, golden examples
//! of each frame and each body in `shared/fixtures`, those of earlier versions beside them.

mod claims;
mod close;
mod cursor;
mod envelope;
pub mod events;
mod frame;
mod http;
mod ids;
pub mod keys;
mod pattern;
mod record;
mod revocation;
#[cfg(feature = "schema")]
pub mod schema;
mod slot;
mod trace;

pub use claims::{Audience, Claims, CompanyClaim, Scope};
pub use close::CloseCode;
pub use cursor::{Cursor, CursorError};
pub use envelope::{Envelope, EnvelopeError, MAX_DEPTH, MAX_EVENT_BYTES};
pub use events::Event;
pub use frame::{ClientFrame, DeliveryState, EventFrame, Resume, ServerFrame};
pub use http::{
    LatestEvents, Mistake, PollAnswer, PostedEvent, ProblemBody, PublishAnswer, RevocationAnswer, RevocationRequest,
    StoredEvent,
};
pub use ids::{CompanyId, EventId, EventType, IdError, TokenId, UserId};
pub use pattern::{PatternError, TypeFilter, TypePattern};
pub use record::{Record, RecordError};
pub use revocation::{MAX_REVOCATION_SECS, Revocation, Target, TargetError};
pub use slot::{SLOTS, slot};
pub use trace::{TraceParent, TraceParentError};

/// The files of `shared/schema` that name the frames and the bodies, for a program that describes itself.
pub const SCHEMAS: [&str; 2] = [include_str!("../schema/server-frame.json"), include_str!("../schema/http.json")];

/// The README's Rust is compiled by `cargo test --doc`.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
