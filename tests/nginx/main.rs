//! Behind a real nginx. With its defaults, nothing is delivered without the layer's header, and every
//! event at once with it; that is also so where nginx compresses or speaks HTTP/2, and heartbeats keep a
//! stream open for longer than its timeout.
//!
//! nginx has to be installed; `.ci/run` does that and runs these.

#[cfg(feature = "compression")]
mod gzip;
mod http2;
#[path = "../support/nginx.rs"]
mod nginx;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/proxied.rs"]
mod proxied;
#[path = "../support/mod.rs"]
mod support;
mod timeout;

use std::time::Duration;

use http::Version;
use http_body_util::Empty;
use tower_sse::Event;
use tower_sse::headers::EventStreamHeaders;

use nginx::Nginx;
use proxied::{Events, passes_at_once, server};
use support::net::{get, read_until, send};

// Clauses: buffering
#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn every_event_passes_at_once() {
    let events = Events::new([]);
    let nginx = Nginx::before(&[server(&events, EventStreamHeaders::new()).await]);
    let request = get(Version::HTTP_11, nginx.address, "/")
        .body(Empty::new())
        .unwrap();
    let response = send(nginx.address, request).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(
        response.headers()["cache-control"],
        "no-cache, no-transform"
    );
    let mut body = response.into_body();
    passes_at_once(&events, &mut body).await;
}

/// The other half: the header is what does it.
#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn nothing_passes_without_the_header() {
    let events = Events::new([Ok(Event::new("x"))]);
    let headers = EventStreamHeaders::new().x_accel_buffering(None);
    let nginx = Nginx::before(&[server(&events, headers).await]);
    let request = get(Version::HTTP_11, nginx.address, "/")
        .body(Empty::new())
        .unwrap();
    // Not even the response's head.
    let mut response = Box::pin(send(nginx.address, request));
    let waited = tokio::time::timeout(Duration::from_millis(500), &mut response).await;
    assert!(
        waited.is_err(),
        "nginx has changed its defaults: {waited:?}"
    );
    events.close();
    let mut body = response.await.into_body();
    assert_eq!(read_until(&mut body, "data: x\n\n").await, ":\ndata: x\n\n");
}
