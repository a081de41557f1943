//! What the tests of proxies serve.

#![allow(unreachable_pub, reason = "a module of each test binary")]

use std::convert::Infallible;
use std::net::SocketAddr;

use http::{Request, Response};
use hyper::body::Incoming;
use tower::ServiceBuilder;
use tower_sse::headers::EventStreamHeaders;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use crate::support::bodies::Script;
use crate::support::net::{read_until, serve};

pub type Events = Script<Result<Event, Infallible>>;

/// Serves `events`, with heartbeats and these headers.
pub async fn server(events: &Events, headers: EventStreamHeaders) -> SocketAddr {
    let events = events.clone();
    let layer = SseLayer::new().headers(headers);
    serve(
        ServiceBuilder::new()
            .layer(layer)
            .service_fn(move |_: Request<Incoming>| {
                let body = SseBody::new(events.clone()).keep_alive(KeepAlive::default());
                std::future::ready(Ok::<_, Infallible>(Response::new(body)))
            }),
    )
    .await
}

/// Publishes events, and reads each before the next one.
pub async fn passes_at_once(events: &Events, body: &mut Incoming) {
    assert_eq!(read_until(body, "\n").await, ":\n");
    for n in 0..20u64 {
        events.push(Ok(Event::new("x").with_id(n)));
        let event = read_until(body, "\n\n").await;
        assert_eq!(event, format!("id: {n}\ndata: x\n\n"));
    }
}
