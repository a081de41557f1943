//! axum's events are not ours.

use futures_util::stream;
use tower_sse::SseBody;

fn main() {
    let events = stream::iter([axum::response::sse::Event::default().data("kick-off")]);
    _ = SseBody::new(events);
}
