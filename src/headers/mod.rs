//! The headers of event streams, and how to recognize one.

mod event_stream_headers;
mod list;
mod media_type;
mod no_content;

#[cfg(feature = "compression")]
pub(crate) use event_stream_headers::tokens;
pub use event_stream_headers::{EventStreamHeaders, X_ACCEL_BUFFERING};
pub(crate) use event_stream_headers::{is_encoded, may_keep_alive};
pub use media_type::{TEXT_EVENT_STREAM, accepts_event_stream, is_event_stream};
pub use no_content::no_content;
