//! Encoding: events, blocks of bytes, and the writer that turns the former into the latter.

mod block;
mod data;
mod data_lines;
mod data_writer;
mod discard;
#[expect(clippy::module_inception, reason = "the file is named after its trait")]
mod encode;
mod event;
mod event_writer;
mod fields;
mod id_ref;
mod into;
#[cfg(feature = "json")]
mod json;
mod line_feeds;
mod lines;
#[cfg(feature = "redis")]
mod parts;
mod scratch;
mod type_ref;
mod writer;

pub use block::Block;
pub use data::Data;
pub use data_lines::DataLines;
pub use data_writer::DataWriter;
pub use encode::Encode;
pub use event::Event;
pub use event_writer::EventWriter;
pub use id_ref::IdRef;
pub use into::{IntoData, IntoEventId, IntoEventType};
pub use type_ref::TypeRef;
pub use writer::Writer;
