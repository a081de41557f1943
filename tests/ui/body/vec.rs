//! A vector is not a stream.

use tower_sse::{Event, SseBody};

fn main() {
    _ = SseBody::new(vec![Event::new("kick-off")]);
}
