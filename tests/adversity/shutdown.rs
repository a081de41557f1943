//! A shutdown with a thousand streams open, half of them over HTTP/2.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Version;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tower::Layer;
use tower_sse::hub::{Hub, HubService};
use tower_sse::{Event, SseLayer};

use crate::factor;
use crate::support::net::{get, send, until, within};

/// Over HTTP/2, on a connection.
const STREAMS: usize = 100;

async fn reads_to_the_end(body: Incoming) {
    let bytes = body.collect().await.expect("a clean end").to_bytes();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(
        text.ends_with("data: last\n\nevent: bye\ndata: back soon\n\n"),
        "{text}"
    );
}

/// Accepts until it is told to stop, and then waits for its connections. Returns how long that takes.
async fn server(listener: TcpListener, hub: Hub, stop: oneshot::Receiver<()>) -> Duration {
    let service = SseLayer::new().layer(HubService::new(hub.clone()));
    let connections = GracefulShutdown::new();
    let accepting = async {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            let server = auto::Builder::new(TokioExecutor::new());
            let connection = server.serve_connection(TokioIo::new(socket), service);
            tokio::spawn(connections.watch(connection.into_owned()));
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = stop => {}
    }
    let start = Instant::now();
    hub.publish(Event::new("last"));
    hub.close();
    connections.shutdown().await;
    start.elapsed()
}

pub(crate) async fn run() -> String {
    let streams = 1_000 * factor();
    let farewell = Event::new("back soon").with_type("bye");
    let hub = Hub::builder().farewell(farewell).build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(server(listener, hub.clone(), stopped));

    let mut readers = JoinSet::new();
    for _ in 0..streams / 2 {
        let request = get(Version::HTTP_11, address, "/").body(Empty::new());
        readers.spawn(reads_to_the_end(
            send(address, request.unwrap()).await.into_body(),
        ));
    }
    while readers.len() < streams {
        let socket = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (client, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
            TokioExecutor::new(),
            socket,
        )
        .await
        .unwrap();
        tokio::spawn(connection);
        for _ in 0..STREAMS.min(streams - readers.len()) {
            let request = get(Version::HTTP_2, address, "/").body(Empty::new());
            let response = within(client.clone().send_request(request.unwrap())).await;
            readers.spawn(reads_to_the_end(response.unwrap().into_body()));
        }
    }
    until("all subscribe", || hub.stats().subscribers == streams).await;
    stop.send(()).unwrap();
    while let Some(read) = within(readers.join_next()).await {
        read.unwrap();
    }
    let time = within(server).await.unwrap();
    assert_eq!(hub.stats().subscribers, 0);
    format!("{streams} open streams end in {time:.1?}, each with its last event and the farewell")
}
