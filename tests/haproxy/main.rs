//! Behind a real HAProxy that compresses: every event at once with the layer's headers, and events that
//! are held back without `no-transform`.
//!
//! HAProxy has to be installed; `.ci/run` does that and runs these.

#[cfg(feature = "compression")]
mod gzip;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/proxied.rs"]
mod proxied;
#[path = "../support/mod.rs"]
mod support;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::time::timeout;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::decompression::DecompressionLayer;
use tower_sse::Event;
use tower_sse::headers::EventStreamHeaders;

use ports::free_port;
use proxied::{Events, passes_at_once, server};
use support::net::{DEADLINE, get, send, within};

/// HAProxy in the foreground, in a folder of its own, until it is dropped.
struct HaProxy {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl HaProxy {
    async fn before(upstream: SocketAddr) -> Self {
        // Another process may take the port before HAProxy does.
        for _ in 0..20 {
            if let Some(haproxy) = Self::try_start(upstream).await {
                return haproxy;
            }
        }
        panic!("HAProxy does not start");
    }

    /// `None` if it ends at once.
    async fn try_start(upstream: SocketAddr) -> Option<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let name = format!(
            "tower-sse-haproxy-{}-{}",
            std::process::id(),
            address.port()
        );
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let own = folder.join("stats");
        let config = format!(
            "global
                 stats socket {}
             defaults
                 mode http
                 timeout connect 60s
                 timeout client 60s
                 timeout server 60s
             listen feed
                 bind {address}
                 compression algo gzip
                 compression type text/event-stream
                 server upstream {upstream}\n",
            own.display()
        );
        let file = folder.join("haproxy.cfg");
        std::fs::write(&file, config).unwrap();
        let process = Command::new("haproxy")
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("HAProxy is installed");
        let mut haproxy = Self {
            process,
            address,
            folder,
        };
        let start = Instant::now();
        // Whoever else has the port would accept connections too; this socket is its own.
        while UnixStream::connect(&own).is_err() {
            if haproxy.process.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(start.elapsed() < DEADLINE, "HAProxy does not listen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Some(haproxy)
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
        _ = std::fs::remove_dir_all(&self.folder);
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
