//! The event stream format, and nothing else: no async, no HTTP, no runtime.
//!
//! # The grammar on one page
//!
//! From [9.2.5] of the HTML standard, UTF-8 throughout:
//!
//! ```text
//! stream   = [ BOM ] *event
//! event    = *( comment / field ) end-of-line
//! comment  = ":" *any-char end-of-line
//! field    = 1*name-char [ ":" [ space ] *any-char ] end-of-line
//! end-of-line = CR LF / CR / LF          ; each of the three is one
//! name-char   = anything but CR, LF and ":"
//! any-char    = anything but CR and LF
//! ```
//!
//! A reader keeps four values ([9.2.6]): a data buffer, an event type buffer, a last event ID and a
//! reconnection time.
//!
//! | field | does |
//! |---|---|
//! | `event` | sets the event type |
//! | `data` | appends the value and an LF to the data |
//! | `id` | sets the last event ID, unless the value has a NUL (or, here, more than [`EventId::MAX_LEN`] bytes) |
//! | `retry` | sets the reconnection time in milliseconds, if the value is ASCII digits only |
//! | any other | nothing |
//!
//! An empty line dispatches an event if there is any data, without the data's last LF, and then
//! clears data and type. The last event ID and the reconnection time are kept. An incomplete event
//! at the end of the stream is discarded.
//!
//! # What the writers produce
//!
//! They always write `name: value` with the space, so that leading spaces in values are preserved,
//! and LF for every line break. They write one `data` line for each line of the data, so that empty
//! data, empty lines and a trailing newline are preserved. IDs and types are single lines by
//! construction.
//!
//! ```
//! use tower_sse::{Event, EventId};
//!
//! assert_eq!(Event::new(" a\r\nb\n").encode(), "data:  a\ndata: b\ndata: \n\n");
//! assert!(EventId::try_from("7\ndata: forged").is_err());
//! ```
//!
//! [9.2.5]: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
//! [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

mod decode;
mod encode;
mod republish;
mod value;

pub(crate) use decode::NextItem;
pub use decode::{Decoded, Decoder, Limit, LimitExceeded, MessageEvent, MessageRef};
pub use encode::{
    Block, Data, DataLines, DataWriter, Encode, Event, EventWriter, IdRef, IntoData, IntoEventId,
    IntoEventType, TypeRef, Writer,
};
#[cfg(feature = "json")]
pub use value::JsonError;
pub use value::{EventId, EventType, InvalidText};
