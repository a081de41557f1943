//! A stream that the server has compressed, behind an nginx that could compress it too.

use std::convert::Infallible;

use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tower::ServiceBuilder;
use tower_sse::compression::Compression;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use crate::Events;
use crate::nginx::Nginx;
use crate::support::gunzip::Gunzip;
use crate::support::net::{get, read_until, send, serve, within};

const COMPRESSES: &str = "gzip on; gzip_types text/event-stream; gzip_proxied any;
    gzip_min_length 0;";

async fn nginx(events: &Events) -> Nginx {
    let events = events.clone();
    let upstream = ServiceBuilder::new()
        .layer(SseLayer::new().compression(Compression::new()))
        .service_fn(move |_: Request<Incoming>| {
            let body = SseBody::new(events.clone()).keep_alive(KeepAlive::default());
            std::future::ready(Ok::<_, Infallible>(Response::new(body)))
        });
    Nginx::with_settings(COMPRESSES, &[serve(upstream).await])
}

async fn ask(nginx: &Nginx, accepted: &str) -> Response<Incoming> {
    let request = get(Version::HTTP_11, nginx.address, "/").header("accept-encoding", accepted);
    send(nginx.address, request.body(Empty::new()).unwrap()).await
}

#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn a_compressed_stream_passes_as_it_is_and_at_once() {
    let events = Events::new([]);
    let nginx = nginx(&events).await;
    let response = ask(&nginx, "gzip").await;
    let headers = response.headers();
    let encodings: Vec<_> = headers.get_all("content-encoding").iter().collect();
    assert_eq!(encodings, ["gzip"]);
    assert_eq!(headers["cache-control"], "no-cache, no-transform");
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

#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn a_client_without_gzip_gets_the_plain_stream() {
    let events = Events::new([Ok(Event::new("x"))]);
    let response = ask(&nginx(&events).await, "br").await;
    assert!(!response.headers().contains_key("content-encoding"));
    let mut body = response.into_body();
    assert_eq!(read_until(&mut body, "data: x\n\n").await, ":\ndata: x\n\n");
}
