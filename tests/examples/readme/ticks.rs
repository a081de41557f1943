use std::time::Duration;

use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};
use tower_sse::{Event, KeepAlive, LastEventId, SseBody};

pub(super) async fn feed(last: Option<LastEventId>) -> impl IntoResponse {
    let seen = last.and_then(|id| id.number()).unwrap_or(0);
    let events = stream::iter(seen.saturating_add(1)..=u64::MAX).then(async |n| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Event::new(format!("tick {n}")).with_id(n)
    });
    SseBody::new(events).keep_alive(KeepAlive::default())
}
