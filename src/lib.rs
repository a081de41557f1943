//! Server-Sent Events for Tower.

pub mod protocol;
pub mod timer;

#[cfg(feature = "json")]
pub use protocol::JsonError;
pub use protocol::{Block, Data, Event, EventId, EventType, InvalidText, Writer};
