//! The types that a handler works with: a builder, the subscription's event stream as a body, and
//! the same events as a stream of deliveries.

mod after;
mod builder;
mod deliveries;
mod handle;
#[cfg(any(test, feature = "redis"))]
mod reading_past;
mod serving;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod subscription;

pub use after::After;
pub use builder::SubscriptionBuilder;
pub use deliveries::{Deliveries, Missed};
pub use handle::Handle;
pub use subscription::Subscription;
