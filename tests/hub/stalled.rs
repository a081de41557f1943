//! One subscriber that has stopped reading among a hundred that have not.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get_service;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tower_sse::hub::{Hub, HubService, LagPolicy};
use tower_sse::{Event, KeepAlive};

const SIZE: usize = 1_000;
const EVENTS: usize = 8_000;
const RETAIN: usize = 1 << 20;

/// More than a reader ever takes for its events on an overloaded machine: if it were given up as well,
/// it would miss some, and wait for them.
const PATIENCE: Duration = Duration::from_secs(4);

async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // So that little is on its way to one that does not read.
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    stream
}

/// Reads this many events; returns the longest time between two reads.
async fn read(mut stream: TcpStream, events: usize) -> Duration {
    let (mut seen, mut longest) = (0, Duration::ZERO);
    let mut buffer = vec![0; 64 * 1024];
    let mut last = Instant::now();
    let mut started = false;
    while seen < events {
        let n = stream.read(&mut buffer).await.unwrap();
        assert!(n > 0, "ended after {seen} events");
        // Each event has one such byte; the rest of it is `x`.
        seen += memchr::memchr_iter(b'#', &buffer[..n]).count();
        if started {
            longest = longest.max(last.elapsed());
        }
        (last, started) = (Instant::now(), seen > 0);
    }
    longest
}

async fn stalled(lag: LagPolicy) {
    let hub = Hub::builder()
        .lag(lag)
        .retain_events(usize::MAX)
        .retain_bytes(RETAIN)
        .build();
    let service = HubService::new(hub.clone()).keep_alive(KeepAlive::new());
    let app = Router::new().route("/", get_service(service));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async { axum::serve(listener, app).await });

    let mut stalled = connect(address).await;
    let mut readers = Vec::new();
    for _ in 0..100 {
        readers.push(tokio::spawn(read(connect(address).await, EVENTS)));
    }
    while hub.stats().subscribers < 101 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let data = format!("#{}", "x".repeat(SIZE));
    let mut given_up = 0;
    for _ in 0..EVENTS {
        hub.publish(Event::new(data.clone()));
        // As soon as the stalled one is in the way, it is given up.
        let patience = tokio::time::sleep(PATIENCE);
        given_up += hub.caught_up(200).or_after(patience).await;
        assert!(hub.stats().retained_bytes <= RETAIN);
    }
    let mut longest = Duration::ZERO;
    for reader in readers {
        let read = tokio::time::timeout(Duration::from_secs(120), reader).await;
        longest = longest.max(read.expect("every event comes").unwrap());
    }
    println!(
        "longest wait of the others: {longest:?}; given up: {given_up}; {:?}",
        hub.stats()
    );
    assert!(given_up >= 1);
    assert!(longest < 2 * PATIENCE, "{longest:?}");

    // It reads again, and is ended or told.
    let mut text = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let told = memchr::memmem::Finder::new("event: gap\n");
    loop {
        let n = stalled.read(&mut buffer).await.unwrap();
        text.extend_from_slice(&buffer[..n]);
        // The last chunk of a body has no bytes.
        let ended = n == 0 || text.ends_with(b"\r\n0\r\n\r\n");
        let recent = text.len().saturating_sub(n + 20);
        if ended || told.find(&text[recent..]).is_some() {
            assert_eq!(ended, lag == LagPolicy::End);
            break;
        }
    }
    assert_eq!(hub.stats().lagged, 1);
    server.abort();
}

#[tokio::test]
async fn is_ended() {
    stalled(LagPolicy::End).await;
}

#[tokio::test]
async fn is_told() {
    stalled(LagPolicy::Newest).await;
}

/// What `axum::serve` does with one, as the example programs shut down.
#[tokio::test]
async fn a_shutdown_does_not_wait_for_it() {
    let hub = Hub::builder().farewell(Event::new("bye")).build();
    let app = Router::new().route("/", get_service(HubService::new(hub.clone())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serve = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut serve = tokio::spawn(serve.into_future());

    let _stalled = connect(address).await;
    let mut reader = connect(address).await;
    let text = tokio::spawn(async move {
        let mut text = String::new();
        let mut buffer = vec![0; 64 * 1024];
        while !text.ends_with("data: bye\n\n\r\n0\r\n\r\n") {
            let n = reader.read(&mut buffer).await.unwrap();
            assert!(n > 0, "{text}");
            text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
            text = text.split_off(text.len().saturating_sub(100));
        }
    });
    while hub.stats().subscribers < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let data = "x".repeat(SIZE);
    let (mut given_up, mut published) = (0, 0);
    // More than its sockets hold: if this process is held up, both may be given up before that.
    while given_up == 0 || published < EVENTS {
        published += 1;
        hub.publish(Event::new(data.clone()));
        let patience = tokio::time::sleep(Duration::from_millis(500));
        given_up += hub.caught_up(200).or_after(patience).await;
    }
    stop.cancel();
    hub.close();
    text.await.unwrap();
    let deadline = tokio::time::sleep(Duration::from_secs(1));
    let drain = hub.drain().or_after(deadline);
    let drained = tokio::time::timeout(Duration::from_secs(60), drain).await;
    assert_eq!(drained, Ok(1));
    // The server would wait on; the program ends.
    let waits = tokio::time::timeout(Duration::from_millis(50), &mut serve).await;
    assert!(waits.is_err());
    serve.abort();
}
