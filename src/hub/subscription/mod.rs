//! What a handler gets: a subscriber to be, its event stream as a body, or as a stream of deliveries.

mod deliveries;
mod serving;
mod subscriber;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod subscription;

pub use deliveries::{Deliveries, Missed};
pub use subscriber::{After, Subscriber};
pub use subscription::Subscription;
