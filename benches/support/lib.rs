//! What the benches share: the measuring, the events that everyone sends, and the peers.

pub mod bodies;
mod case;
pub mod events;
pub mod peers;
mod places;
pub mod process;
pub mod row;
pub mod sink;

pub use case::{COUNTER, Case, Side, is_brief, median, rounds, selected};
pub use places::Text;
