//! A stream of text is not a stream of events.

use futures_util::stream;
use tower_sse::SseBody;

fn main() {
    _ = SseBody::new(stream::iter([String::from("kick-off")]));
}
