//! A stream that the server has compressed, behind a HAProxy that could compress it too.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tower::ServiceBuilder;
use tower_sse::compression::Compression;
use tower_sse::headers::EventStreamHeaders;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use crate::support::gunzip::Gunzip;
use crate::support::net::{serve, within};
use crate::{Events, HaProxy};

async fn server(events: &Events, headers: EventStreamHeaders) -> SocketAddr {
    let events = events.clone();
    let layer = SseLayer::new()
        .headers(headers)
        .compression(Compression::new());
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

/// Even where `no-transform` does not keep HAProxy from compressing.
#[tokio::test]
#[ignore = "needs HAProxy; .ci/run installs it and runs this"]
async fn a_compressed_stream_passes_as_it_is_and_at_once() {
    let may_transform = HeaderValue::from_static("no-cache");
    for headers in [
        EventStreamHeaders::new(),
        EventStreamHeaders::new().cache_control(may_transform),
    ] {
        let events = Events::new([]);
        let haproxy = HaProxy::before(server(&events, headers).await).await;
        let response = haproxy.get().await;
        let encodings = response.headers().get_all("content-encoding");
        assert_eq!(encodings.iter().collect::<Vec<_>>(), ["gzip"]);
        let mut body = response.into_body();
        let (mut gunzip, mut expected) = (Gunzip::new(), ":\n".to_owned());
        for n in 0..20u64 {
            // Each is read before the next is sent.
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
}
