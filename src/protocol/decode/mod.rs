//! The reading wing: events out of chunks of bytes.

mod decoder;
mod field;
mod last_id;
mod lengths;
mod limit;
mod line_end;
mod message;
mod message_ref;
mod pending;
mod repair;
mod scan;
mod whole_block;

pub use decoder::{Decoded, Decoder};
pub use limit::{Limit, LimitExceeded};
pub use message::MessageEvent;
pub use message_ref::MessageRef;
