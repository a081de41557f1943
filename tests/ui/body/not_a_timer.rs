//! A duration is not a clock.

use std::time::Duration;

use futures_util::stream;
use tower_sse::{Event, SseBody};

fn main() {
    _ = SseBody::with_timer(stream::pending::<Event>(), Duration::from_secs(60));
}
