//! An nginx that speaks HTTP/2 to its clients, and HTTP/1.0 to the server.

use http::Version;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tower_sse::headers::EventStreamHeaders;
use tower_sse::{Event, Hub, HubService};

use crate::nginx::{Nginx, Settings};
use crate::proxied::{Events, passes_at_once, server};
use crate::support::net::{get, read_until, send, serve, until, within};

/// More than a browser's connections over HTTP/1.1.
const STREAMS: usize = 20;

/// Without TLS: the client has to know that this is HTTP/2.
const HTTP_2: Settings<'_> = Settings {
    http: "",
    listen: "http2",
};

// Clauses: buffering
#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn every_event_passes_at_once() {
    let events = Events::new([]);
    let upstream = server(&events, EventStreamHeaders::new()).await;
    let nginx = Nginx::with(HTTP_2, &[upstream]);
    let request = get(Version::HTTP_2, nginx.address, "/");
    let response = send(nginx.address, request.body(Empty::new()).unwrap()).await;
    assert_eq!(response.version(), Version::HTTP_2);
    // It would be an error over HTTP/2.
    assert!(!response.headers().contains_key("connection"));
    passes_at_once(&events, &mut response.into_body()).await;
}

#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn twenty_streams_share_a_connection() {
    let hub = Hub::new();
    let nginx = Nginx::with(HTTP_2, &[serve(HubService::new(hub.clone())).await]);
    let socket = TokioIo::new(TcpStream::connect(nginx.address).await.unwrap());
    let connection = hyper::client::conn::http2::handshake(TokioExecutor::new(), socket);
    let (mut client, connection) = connection.await.unwrap();
    tokio::spawn(connection);
    let mut bodies = Vec::new();
    for _ in 0..STREAMS {
        let request = get(Version::HTTP_2, nginx.address, "/");
        let response = client.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap());
        bodies.push(within(response).await.unwrap().into_body());
    }
    until("all are subscribed", || hub.stats().subscribers == STREAMS).await;
    for n in 0..3 {
        hub.publish(Event::new(format!("event {n}")));
        for body in &mut bodies {
            let text = read_until(body, &format!("data: event {n}\n\n")).await;
            assert_eq!(text.matches("data: event").count(), 1, "{text}");
        }
    }
}
