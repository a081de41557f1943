//! A client that connects for the first time has seen nothing: the extractor is optional.

use axum::Router;
use axum::routing::get;
use tower_sse::{Event, LastEventId, SseBody};

async fn feed(_last: LastEventId) -> impl axum::response::IntoResponse {
    SseBody::new(futures_util::stream::pending::<Event>())
}

fn main() {
    let _app: Router = Router::new().route("/feed", get(feed));
}
