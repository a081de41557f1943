//! The names that servers and clients use most: `use tower_sse::prelude::*`.
//!
//! The names do not collide with those of axum, http, tokio and futures. The prelude contains no
//! modules, which would shadow crates of the same name, and no general words (`Block`, `Data`,
//! `Decoder`, `Writer`). Those are at the crate's root.
//!
//! ```
//! use futures_util::stream;
//! use tower_sse::prelude::*;
//!
//! let events = stream::iter([Event::new("kick-off")]);
//! let response = SseBody::new(events).into_http_response();
//! assert_eq!(response.headers()["content-type"], "text/event-stream");
//! ```

pub use crate::body::{EventStream, KeepAlive, SseBody};
pub use crate::client::EventSource;
pub use crate::hub::{Hub, HubService};
pub use crate::last_event_id::{InvalidLastEventId, LAST_EVENT_ID, LastEventId};
pub use crate::middleware::{SseLayer, SseService};
pub use crate::protocol::{Event, EventId, EventType, MessageEvent};
