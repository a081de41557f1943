//! gzip, by the server or by nginx.

use std::net::SocketAddr;

use http::{Response, Version};
use http_body_util::Empty;
use hyper::body::Incoming;
use tower_sse::compression::Compression;
use tower_sse::headers::EventStreamHeaders;
use tower_sse::{Event, SseLayer};

use crate::Events;
use crate::nginx::{Nginx, Settings};
use crate::proxied::{passes_compressed_at_once, server, server_with};
use crate::support::net::{get, read_until, send};

/// nginx compresses event streams that are not compressed yet.
fn nginx(upstream: SocketAddr) -> Nginx {
    let settings = Settings {
        http: "gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0;",
        ..Settings::default()
    };
    Nginx::with(settings, &[upstream])
}

async fn compressed(events: &Events) -> SocketAddr {
    server_with(events, SseLayer::new().compression(Compression::new())).await
}

async fn ask(nginx: &Nginx, accepted: &str) -> Response<Incoming> {
    let request = get(Version::HTTP_11, nginx.address, "/").header("accept-encoding", accepted);
    send(nginx.address, request.body(Empty::new()).unwrap()).await
}

#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn a_compressed_stream_passes_as_it_is_and_at_once() {
    let events = Events::new([]);
    let nginx = nginx(compressed(&events).await);
    let response = ask(&nginx, "gzip").await;
    let cache_control = &response.headers()["cache-control"];
    assert_eq!(cache_control, "no-cache, no-transform");
    passes_compressed_at_once(&events, response).await;
}

/// nginx ignores `no-transform`. It flushes each event, because its buffering is off.
#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn a_plain_stream_is_compressed_and_passes_at_once() {
    let events = Events::new([]);
    let nginx = nginx(server(&events, EventStreamHeaders::new()).await);
    passes_compressed_at_once(&events, ask(&nginx, "gzip").await).await;
}

#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn a_client_without_gzip_gets_the_plain_stream() {
    let events = Events::new([Ok(Event::new("x"))]);
    let response = ask(&nginx(compressed(&events).await), "br").await;
    assert!(!response.headers().contains_key("content-encoding"));
    let mut body = response.into_body();
    assert_eq!(read_until(&mut body, "data: x\n\n").await, ":\ndata: x\n\n");
}
