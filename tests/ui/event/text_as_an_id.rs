//! Text that is only known at run time may not be an ID.

use tower_sse::Event;

fn main() {
    let id = String::from("7");
    _ = Event::new("kick-off").with_id(id);
}
