//! Peers that ask for a stream and never read it.

use std::time::{Duration, Instant};

use http::Version;
use http_body_util::{BodyExt, Empty};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tower::Layer;
use tower_sse::hub::{Hub, HubService};
use tower_sse::{Event, SseLayer};

use crate::factor;
use crate::support::net::{get, send, serve, until, within};

/// Altogether 40 MB, which no socket's buffers hold.
const EVENTS: u64 = 4_000;
const SIZE: usize = 10_000;

async fn silent(address: std::net::SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut socket = socket.connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    socket.write_all(request).await.unwrap();
    socket
}

/// One subscriber that reads receives every event, and the hub holds what it retains and no more.
pub(crate) async fn run() -> String {
    let peers = 50 * factor();
    let retain = 1 << 20;
    let hub = Hub::builder().retain_bytes(retain).build();
    let address = serve(SseLayer::new().layer(HubService::new(hub.clone()))).await;
    let mut sockets = Vec::new();
    for _ in 0..peers {
        sockets.push(silent(address).await);
    }
    let request = get(Version::HTTP_11, address, "/").body(Empty::new());
    let mut body = send(address, request.unwrap()).await.into_body();
    until("all subscribe", || hub.stats().subscribers == peers + 1).await;

    let (read, mut seen) = watch::channel(0);
    let reader = tokio::spawn(async move {
        let (mut text, mut next) = (String::new(), 1);
        while next <= EVENTS {
            read.send_replace(next - 1);
            let frame = within(body.frame()).await.expect("no end").unwrap();
            text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
            while let Some((block, rest)) = text.split_once("\n\n") {
                if let Some((_, data)) = block.split_once("data: ") {
                    assert_eq!(data.split(' ').next(), Some(&*next.to_string()));
                    next += 1;
                }
                text = rest.to_owned();
            }
        }
        read.send_replace(EVENTS);
    });
    let start = Instant::now();
    let (mut longest, text) = (Duration::ZERO, "x".repeat(SIZE));
    for number in 1..=EVENTS {
        let before = Instant::now();
        hub.publish(Event::new(format!("{number} {text}")));
        longest = longest.max(before.elapsed());
        // For the one that reads: half of what is retained.
        within(seen.wait_for(|seen| seen + 50 > number))
            .await
            .unwrap();
    }
    let time = start.elapsed();
    within(reader).await.unwrap();
    let stats = hub.stats();
    assert!(stats.retained_bytes <= retain, "{stats:?}");
    hub.close();
    format!(
        "{peers} peers that never read, {EVENTS} events of {SIZE} bytes to one that does in {:.1} s, \
         the longest publish {longest:?}, {} KB retained",
        time.as_secs_f64(),
        stats.retained_bytes >> 10
    )
}
