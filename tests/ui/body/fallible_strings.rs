//! Nor is one of results of text.

use futures_util::stream;
use tower_sse::SseBody;

fn main() {
    _ = SseBody::new(stream::iter([std::io::Result::Ok(String::from("kick-off"))]));
}
