//! The tail that a hub leaves to its next life, and how that life begins with it.

mod beginning;
mod invalid_tail;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod tail;
mod tail_event;
mod wire;

pub use invalid_tail::InvalidTail;
pub use tail::Tail;
pub use tail_event::TailEvent;
