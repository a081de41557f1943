//! The writing wing: events, blocks of bytes, and the writer that makes one of the other.

mod block;
mod data;
mod event;
mod event_writer;
mod fields;
mod id_ref;
mod into;
mod lines;
mod writer;

pub use block::Block;
pub use data::Data;
pub use event::Event;
pub use event_writer::EventWriter;
pub use id_ref::IdRef;
pub use into::{IntoData, IntoEventId, IntoEventType};
pub use writer::{Encode, Writer};
