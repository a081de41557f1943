//! Futures that wait for a hub's subscribers, or make them wait, each with the [`Hub`](super::Hub)
//! method that returns it.

mod caught_up;
mod close;
mod drain;
mod keep_time;
mod linger;

pub use caught_up::CaughtUp;
pub use close::CloseOver;
pub use drain::Drain;
pub use keep_time::KeepTime;
pub use linger::Linger;
