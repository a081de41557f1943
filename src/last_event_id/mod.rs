//! The last event ID of a reconnecting client, and how it is read from a request.

mod id;
mod invalid;
mod policy;
mod query;

pub use id::{LAST_EVENT_ID, LastEventId};
pub use invalid::InvalidLastEventId;
pub(crate) use policy::Policy;
