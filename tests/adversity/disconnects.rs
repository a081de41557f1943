//! A client behind a network that cuts each connection after a random number of bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::Request;
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tower::Layer;
use tower_sse::client::SourceEvent;
use tower_sse::hub::{Hub, HubService};
use tower_sse::{Event, EventSource, SseLayer};

use crate::factor;
use crate::support::net::{serve, within};
use crate::support::rng::Rng;

/// How far the publisher is ahead of the client.
const AHEAD: u64 = 20;

/// Forwards to the server, and cuts each connection after at most this many bytes of the answer: in its
/// head, between frames, within an event.
async fn cutter(server: SocketAddr, most: usize, cuts: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut rng = Rng::new(most as u64);
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let left = 1 + rng.below(most);
            let reset = rng.one_in(2);
            let cuts = Arc::clone(&cuts);
            tokio::spawn(async move {
                let server = TcpStream::connect(server).await.unwrap();
                for socket in [&client, &server] {
                    socket.set_nodelay(true).unwrap();
                }
                if reset {
                    client.set_zero_linger().unwrap();
                }
                forward(client, server, left).await;
                cuts.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    address
}

async fn forward(mut client: TcpStream, mut server: TcpStream, left: usize) {
    let (mut from_client, mut to_client) = client.split();
    let (from_server, mut to_server) = server.split();
    let mut answer = from_server.take(left as u64);
    tokio::select! {
        // Errors are connections that their other end has given up.
        _ = tokio::io::copy(&mut answer, &mut to_client) => {}
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
    }
}

/// The data of an event with this number; some are long.
fn data(number: u64) -> String {
    let mut rng = Rng::new(number);
    let most = if rng.one_in(10) { 60 } else { 6 };
    let text = "ö 🦀\n".repeat(rng.below(most));
    format!("{number} {text}")
}

pub(crate) async fn run(http2: bool) -> String {
    let wanted = 1_000 * factor();
    let hub = Hub::new();
    let server = serve(SseLayer::new().layer(HubService::new(hub.clone()))).await;
    let cuts = Arc::new(AtomicUsize::new(0));
    // Over HTTP/2 the client sees nothing of a frame before its end.
    let most = if http2 { 8_000 } else { 2_000 };
    let address = cutter(server, most, Arc::clone(&cuts)).await;

    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build(connector);
    let request = Request::get(format!("http://{address}/")).body(Empty::<Bytes>::new());
    let mut source = EventSource::new(client, request.unwrap())
        .initial_reconnection_time(Duration::ZERO)
        .max_backoff(Duration::ZERO);

    let (mut published, mut received, mut baseline, mut opened) = (0, 0, 0, 0);
    loop {
        // From the first event on, whatever has been published has to come. A client without a place to
        // resume from needs new ones.
        while opened > 0 && published < received.max(baseline) + AHEAD {
            published += 1;
            hub.publish(Event::new(data(published)));
        }
        match within(source.next()).await.expect("it never gives up") {
            SourceEvent::Open(_) => {
                opened += 1;
                if received == 0 {
                    baseline = published;
                }
            }
            SourceEvent::Message(message) => {
                assert_eq!(message.event_type(), "message", "{message:?}");
                let number = message.data().split(' ').next().unwrap();
                // Until an event has come, the client has no place to resume from.
                if received == 0 {
                    received = number.parse::<u64>().unwrap() - 1;
                }
                received += 1;
                assert_eq!(
                    message.data(),
                    data(received),
                    "after {} cuts",
                    cuts.load(Ordering::Relaxed)
                );
            }
            SourceEvent::Error(_) => {}
            other => panic!("{other:?}"),
        }
        let cuts = cuts.load(Ordering::Relaxed);
        if cuts >= wanted && received >= 1_000 {
            return format!(
                "{cuts} cuts, {opened} streams, {received} events, none lost, none twice"
            );
        }
    }
}
