//! Futures that wait for a hub's subscribers, or make them wait.

mod caught_up;
mod close;
mod linger;

pub use caught_up::CaughtUp;
pub use close::{CloseOver, Drain};
pub use linger::Linger;
