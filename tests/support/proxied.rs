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

/// HAProxy waits for up to 200 ms before it passes one on.
const EVENTS: u64 = 8;

pub type Events = Script<Result<Event, Infallible>>;

/// Serves `events`, with heartbeats and these headers.
pub async fn server(events: &Events, headers: EventStreamHeaders) -> SocketAddr {
    server_with(events, SseLayer::new().headers(headers)).await
}

pub async fn server_with(events: &Events, layer: SseLayer) -> SocketAddr {
    let events = events.clone();
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
    for n in 0..EVENTS {
        events.push(Ok(Event::new("x").with_id(n)));
        let event = read_until(body, "\n\n").await;
        assert_eq!(event, format!("id: {n}\ndata: x\n\n"));
    }
}

/// The same through gzip, and then the stream ends.
#[cfg(feature = "compression")]
pub async fn passes_compressed_at_once(events: &Events, response: Response<Incoming>) {
    use crate::support::gunzip::Gunzip;
    use crate::support::net::within;
    use http_body_util::BodyExt;

    let encodings = response.headers().get_all("content-encoding");
    assert_eq!(encodings.iter().collect::<Vec<_>>(), ["gzip"]);
    let mut body = response.into_body();
    let (mut gunzip, mut expected) = (Gunzip::new(), ":\n".to_owned());
    for n in 0..EVENTS {
        while gunzip.text() != expected.as_bytes() {
            let frame = within(body.frame()).await.unwrap().unwrap();
            gunzip.read(&frame.into_data().unwrap());
        }
        events.push(Ok(Event::new("x").with_id(n)));
        expected += &format!("id: {n}\ndata: x\n\n");
    }
    events.close();
    while let Some(frame) = within(body.frame()).await {
        gunzip.read(&frame.unwrap().into_data().unwrap());
    }
    assert_eq!(gunzip.text(), expected.as_bytes());
    assert!(gunzip.is_complete());
}
