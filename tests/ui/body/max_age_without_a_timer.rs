//! A maximum age needs a clock.

use std::time::Duration;

use futures_util::stream;
use tower_sse::{Event, MaxAge, SseBody};

fn main() {
    let body = SseBody::new(stream::pending::<Event>());
    _ = body.max_age(MaxAge::new(Duration::from_secs(60)));
}
