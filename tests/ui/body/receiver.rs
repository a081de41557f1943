//! tokio's receivers are not streams by themselves.

use tower_sse::{Event, SseBody};

fn main() {
    let (_sender, receiver) = tokio::sync::mpsc::channel::<Event>(1);
    _ = SseBody::new(receiver);
}
