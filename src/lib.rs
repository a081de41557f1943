//! Server-Sent Events for Tower.

#[cfg(feature = "axum")]
pub mod axum;
pub mod body;
pub mod headers;
mod last_event_id;
pub mod middleware;
pub mod protocol;
mod random;
pub mod timer;

pub use body::{KeepAlive, MaxAge, Prelude, SseBody};
pub use last_event_id::{InvalidLastEventId, LAST_EVENT_ID, LastEventId};
pub use middleware::{SseLayer, SseService};
#[cfg(feature = "json")]
pub use protocol::JsonError;
pub use protocol::{Block, Data, Event, EventId, EventType, InvalidText, Writer};
