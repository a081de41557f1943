//! The values that encoding and decoding share: checked text, and the errors for invalid text.

mod checked_text;
mod digits;
mod error;
mod event_id;
mod event_type;
mod find;
mod piece;
mod text;
mod words;

pub(in crate::protocol) use error::Checked;
pub use error::InvalidText;
#[cfg(feature = "json")]
pub use error::JsonError;
pub use event_id::EventId;
pub(in crate::protocol) use event_id::IdPiece;
pub use event_type::EventType;
pub(in crate::protocol) use event_type::TypePiece;
pub(in crate::protocol) use words::Words;
