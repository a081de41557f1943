//! Nor a type.

use tower_sse::Event;

fn main() {
    let event_type = String::from("goal");
    _ = Event::new("1 : 0").with_type(event_type);
}
