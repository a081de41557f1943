//! Event streams as HTTP bodies.
//!
//! [`SseBody`] turns a stream of events into a body, and [`BoxBody`] is one type for all such
//! bodies. [`KeepAliveBody`] inserts heartbeats into an event stream made elsewhere.
//! [`EventStream`] turns a body into a stream of events.
//!
//! ```
//! use http_body_util::BodyExt;
//! use tower_sse::{Event, SseBody};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! // Events that are ready together are sent in one frame.
//! let events = futures_util::stream::iter([Event::new("x"), Event::new("y")]);
//! let frame = SseBody::new(events).frame().await.unwrap().unwrap();
//! assert_eq!(frame.into_data().unwrap(), "data: x\n\ndata: y\n\n");
//! # }
//! ```

mod alarm;
mod boundary;
mod box_body;
mod chunks;
mod coding;
mod event_stream;
mod event_stream_error;
mod from_response;
mod idle_clock;
mod interrupts;
mod keep_alive;
mod keep_alive_body;
mod max_age;
mod plain;
mod prelude;
mod rare;
mod reader;
mod rejection;
mod settings;
mod source;
mod sse_body;

pub use box_body::BoxBody;
pub(crate) use box_body::BoxError;
pub use chunks::Chunks;
pub(crate) use coding::Coder;
pub use event_stream::EventStream;
pub use event_stream_error::EventStreamError;
pub use from_response::FromResponse;
pub use keep_alive::KeepAlive;
pub use keep_alive_body::KeepAliveBody;
pub(crate) use keep_alive_body::to_bytes;
pub use max_age::MaxAge;
pub use prelude::Prelude;
pub(crate) use reader::{Read, Reader, Terminator};
pub use rejection::Rejection;
pub(crate) use rejection::{PATIENCE, Rejecting, is_acceptable};
pub use source::{Item, Source, Written};
pub(crate) use source::{SealedSource, WholeFrame};
pub use sse_body::SseBody;
