//! Behind a real HAProxy that compresses: every event at once with the layer's headers, and events that
//! are held back without `no-transform`.
//!
//! HAProxy has to be installed; `.ci/run` does that and runs these.

#[cfg(feature = "compression")]
mod gzip;
#[path = "../support/proxied.rs"]
mod proxied;
#[path = "../support/mod.rs"]
mod support;

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::time::timeout;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::decompression::DecompressionLayer;
use tower_sse::Event;
use tower_sse::headers::EventStreamHeaders;

use proxied::{Events, passes_at_once, server};
use support::net::{get, send, until, within};

/// HAProxy in the foreground, with a configuration of its own, until it is dropped.
struct HaProxy {
    process: Child,
    address: SocketAddr,
    file: PathBuf,
}

impl HaProxy {
    async fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let config = format!(
            "defaults
                 mode http
                 timeout connect 5s
                 timeout client 60s
                 timeout server 60s
             listen feed
                 bind {address}
                 compression algo gzip
                 compression type text/event-stream
                 server upstream {upstream}\n"
        );
        let file = format!("tower-sse-haproxy-{}.cfg", address.port());
        let file = std::env::temp_dir().join(file);
        std::fs::write(&file, config).unwrap();
        let process = Command::new("haproxy")
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("HAProxy is installed");
        until("HAProxy listens", || {
            std::net::TcpStream::connect(address).is_ok()
        })
        .await;
        Self {
            process,
            address,
            file,
        }
    }

    /// What it answers to a client that takes gzip.
    async fn get(&self) -> Response<Incoming> {
        let request = get(Version::HTTP_11, self.address, "/").header("accept-encoding", "gzip");
        send(self.address, request.body(Empty::<Bytes>::new()).unwrap()).await
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
        _ = std::fs::remove_file(&self.file);
    }
}

// Clauses: buffering
#[tokio::test]
#[ignore = "needs HAProxy; .ci/run installs it and runs this"]
async fn every_event_passes_at_once() {
    let events = Events::new([]);
    let haproxy = HaProxy::before(server(&events, EventStreamHeaders::new()).await).await;
    let response = haproxy.get().await;
    assert!(!response.headers().contains_key("content-encoding"));
    let mut body = response.into_body();
    passes_at_once(&events, &mut body).await;
}

/// The other half: `no-transform` is what does it. Compressed, an event's end waits for the next event.
#[tokio::test]
#[ignore = "needs HAProxy; .ci/run installs it and runs this"]
async fn events_are_held_back_where_it_may_compress() {
    let events = Events::new([Ok(Event::new("x"))]);
    let headers = EventStreamHeaders::new().cache_control(HeaderValue::from_static("no-cache"));
    let haproxy = HaProxy::before(server(&events, headers).await).await;
    let client = ServiceBuilder::new()
        .layer(DecompressionLayer::new())
        .service_fn(async |request| Ok::<_, Infallible>(send(haproxy.address, request).await));
    let request = get(Version::HTTP_11, haproxy.address, "/").body(Empty::<Bytes>::new());
    let mut body = client.oneshot(request.unwrap()).await.unwrap().into_body();
    let mut text = Vec::new();
    while !text.starts_with(b":\nda") {
        let frame = within(body.frame()).await;
        text.extend(frame.unwrap().unwrap().into_data().unwrap());
    }
    // Nothing more comes by itself.
    while let Ok(frame) = timeout(Duration::from_millis(500), body.frame()).await {
        text.extend(frame.unwrap().unwrap().into_data().unwrap());
    }
    let text = String::from_utf8(text).unwrap();
    assert!(!text.ends_with("\n\n"), "{text:?}");
}
