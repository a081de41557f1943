//! Each example runs as a process and is read over a real socket.

#[cfg(feature = "axum")]
mod chat;
mod client;
mod command_lines;
#[cfg(feature = "axum")]
mod dashboard;
#[path = "../support/example.rs"]
mod example_process;
mod hostile;
mod hostile_ids;
mod live;
#[cfg(feature = "axum")]
mod llm;
mod misuse;
#[cfg(feature = "axum")]
mod notifications;
#[cfg(feature = "axum")]
mod readme;
#[cfg(feature = "axum")]
mod relay;

use std::io::{Read, Write};
use std::net::TcpListener;

use http::Version;

use self::client::{Next, assert_headers, get, send};
use self::example_process::Example;

/// Each server, what it needs besides a port, and where it has an event stream.
pub(crate) const SERVERS: &[(&str, &[&str], &str)] = &[
    ("hyper", &[], "/"),
    ("live", &[], "/events"),
    ("proxy", &["http://127.0.0.1:9/"], "/"),
    #[cfg(feature = "axum")]
    ("axum", &[], "/events"),
    #[cfg(feature = "axum")]
    ("chat", &[], "/rooms/lobby"),
    #[cfg(feature = "axum")]
    ("dashboard", &[], "/prices"),
    // Redis is away.
    #[cfg(all(feature = "axum", feature = "redis"))]
    ("cluster", &["--redis", "redis://127.0.0.1:1"], "/events"),
    #[cfg(feature = "axum")]
    ("llm", &[], "/runs/none"),
    #[cfg(feature = "axum")]
    ("notifications", &[], "/users/7"),
    #[cfg(feature = "axum")]
    ("relay", &[], "/feed"),
];

#[tokio::test]
async fn hyper() {
    let example = Example::start("hyper", &[]);
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let mut stream = send(&example.authority, "GET", "/", None, version).await;
        assert_eq!(stream.head.version, version);
        assert_headers(&stream);
        assert_eq!(stream.line().await, ":");
        assert_eq!(stream.event().await, "id: 1\ndata: second 1");
        assert_eq!(stream.event().await, "id: 2\ndata: second 2");

        let mut stream = send(&example.authority, "GET", "/", Some("41"), version).await;
        assert_eq!(stream.event().await, "id: 42\ndata: second 42");
    }
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn axum() {
    let mut example = Example::start("axum", &[]);
    let mut stream = get(&example.authority, "/events", Some("7")).await;
    assert_headers(&stream);
    assert_eq!(stream.line().await, ":");
    let retry = stream.line().await;
    let retry: u64 = client::field(&retry, "retry").unwrap().parse().unwrap();
    assert!((1000..=5000).contains(&retry), "{retry}");
    assert_eq!(stream.event().await, "id: 8\ndata: second 8");

    example.interrupt();
    let mut last = stream.event().await;
    while last.starts_with("id: ") {
        last = stream.event().await;
    }
    assert_eq!(last, "event: bye\ndata: back in a minute");
    assert_eq!(stream.next().await, Next::End);
    assert!(example.wait(), "it ends with a stream open");
}

#[tokio::test]
async fn proxy() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", upstream.local_addr().unwrap());
    let example = Example::start("proxy", &[&address]);
    let (go_on, wait) = std::sync::mpsc::channel();
    let upstream = std::thread::spawn(move || {
        let (mut socket, _) = upstream.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        // Both at once: no heartbeat comes between them.
        let begin = format!("{head}data: one\n\n");
        socket.write_all(begin.as_bytes()).unwrap();
        wait.recv().unwrap();
        socket.write_all(b"data: two\nda").unwrap();
        wait.recv().unwrap();
        socket.write_all(b"ta: three\n\n").unwrap();
        String::from_utf8(request).unwrap()
    });

    let mut stream = get(&example.authority, "/feed?topic=7", Some("ä-7")).await;
    assert_headers(&stream);
    assert_eq!(stream.next().await, Next::Block("data: one".to_owned()));
    assert_eq!(stream.line().await, ":");
    assert_eq!(stream.line().await, ":");
    // In the middle of an event there is nothing to be added, however long it takes.
    go_on.send(()).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    go_on.send(()).unwrap();
    let event = stream.event().await;
    assert_eq!(event, "data: two\ndata: three");
    assert_eq!(stream.next().await, Next::End);

    let request = upstream.join().unwrap();
    assert!(
        request.starts_with("GET /feed?topic=7 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("last-event-id: ä-7\r\n"), "{request}");
    let gone = get(&example.authority, "/feed", None).await;
    assert_eq!(gone.head.status, 502);
}
