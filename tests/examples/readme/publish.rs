use axum::extract::State;
use axum::response::IntoResponse;
use tower_sse::{Hub, KeepAlive, LastEventId};

pub(super) async fn feed(State(hub): State<Hub>, last: Option<LastEventId>) -> impl IntoResponse {
    hub.resume(last)
        .map(|subscription| subscription.keep_alive(KeepAlive::default()))
}
