//! The time since the server began to serve a client, every 200 ms.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};
use tokio_stream::StreamExt as _;

pub(crate) fn app() -> Router {
    Router::new().route("/ticks", get(ticks))
}

async fn ticks() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = StreamExt::map(stream::iter(0_u32..), |n| {
        let event = Event::default().id(n.to_string());
        Ok(event.data(format!("{} ms\nof silence between", n * 200)))
    });
    let events = events.throttle(Duration::from_millis(200));
    let keep_alive = KeepAlive::new().interval(Duration::from_millis(50));
    Sse::new(events).keep_alive(keep_alive.text("still counting"))
}
