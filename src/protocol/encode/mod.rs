//! The writing wing: events, blocks of bytes, and the writer that makes one of the other.

mod block;
mod data;
mod event;
mod event_writer;
mod fields;
mod lines;
mod writer;

pub use block::Block;
pub use data::Data;
pub use event::Event;
pub use event_writer::{EventWriter, IdRef};
pub use writer::{Encode, Writer};
