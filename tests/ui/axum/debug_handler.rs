//! The same with axum's own help.

use tower_sse::LastEventId;

#[axum::debug_handler]
async fn feed(_last: LastEventId) {}

fn main() {}
