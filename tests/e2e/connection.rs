//! What HTTP/1 says about the connection, byte by byte, and connections that become something else.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceBuilder;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use crate::support::bodies::Script;
use crate::support::net::{serve, within};

/// Reads byte by byte, to leave what comes after.
async fn read_until(socket: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        bytes.push(within(socket.read_u8()).await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn keep_alive_is_not_said_to_those_that_close() {
    let events = Script::<Result<Event, Infallible>>::new([]);
    let service =
        ServiceBuilder::new()
            .layer(SseLayer::new())
            .service_fn(move |_: Request<Incoming>| {
                let body = SseBody::new(events.clone()).keep_alive(KeepAlive::default());
                std::future::ready(Ok::<_, Infallible>(body.into_http_response()))
            });
    let address = serve(service).await;
    for (request, expected) in [
        ("HTTP/1.1\r\nhost: x", &["keep-alive"][..]),
        ("HTTP/1.1\r\nhost: x\r\nconnection: close", &["close"]),
        ("HTTP/1.1\r\nhost: x\r\nConnection: x, Close", &["close"]),
        (
            "HTTP/1.1\r\nhost: x\r\nconnection: x\r\nconnection: CLOSE",
            &["close"],
        ),
        ("HTTP/1.0", &[]),
        ("HTTP/1.0\r\nconnection: close", &[]),
    ] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!("GET / {request}\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let head = read_until(&mut socket, "\r\n\r\n").await;
        let found: Vec<_> = head
            .lines()
            .filter_map(|line| line.strip_prefix("connection: "))
            .collect();
        assert_eq!(found, expected, "{request:?}: {head}");
    }
}

/// Answers with what it was sent, once it is no longer HTTP.
async fn upgrade(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut io = TokioIo::new(upgraded.await.unwrap());
        let mut bytes = [0; 4];
        io.read_exact(&mut bytes).await.unwrap();
        io.write_all(&bytes).await.unwrap();
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("echo"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    Ok(response)
}

#[tokio::test]
async fn upgrades_pass() {
    let layer = SseLayer::new().keep_alive(KeepAlive::default());
    let service = ServiceBuilder::new().layer(layer).service_fn(upgrade);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(service);
        let server = hyper::server::conn::http1::Builder::new();
        let connection = server.serve_connection(TokioIo::new(socket), service);
        connection.with_upgrades().await.unwrap();
    });
    let mut socket = TcpStream::connect(address).await.unwrap();
    // Nor does a bad ID matter to what is not an event stream.
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\
                    last-event-id: 7\xff\r\n\r\n";
    socket.write_all(request).await.unwrap();
    let head = read_until(&mut socket, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        !head.contains("event-stream") && !head.contains("keep-alive"),
        "{head}"
    );
    socket.write_all(b"ping").await.unwrap();
    assert_eq!(read_until(&mut socket, "ping").await, "ping");
}
