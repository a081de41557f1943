//! Data is text: a number is displayed or serialised.

use tower_sse::Event;

fn main() {
    _ = Event::new(42);
}
