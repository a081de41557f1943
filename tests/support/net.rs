//! Servers and clients over loopback sockets.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;

/// Nothing here takes longer, unless it is broken, on a slow machine with other work.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Serves on a port of its own, HTTP/1 and HTTP/2, until the test ends.
pub async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

/// Sends one request on a connection of its own.
pub async fn send(address: SocketAddr, request: Request<Empty<Bytes>>) -> Response<Incoming> {
    try_send(address, request).await.unwrap()
}

/// The same where the response may fail before its head is there.
pub async fn try_send(
    address: SocketAddr,
    request: Request<Empty<Bytes>>,
) -> hyper::Result<Response<Incoming>> {
    let socket = TokioIo::new(TcpStream::connect(address).await.unwrap());
    if request.version() == Version::HTTP_2 {
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), socket)
                .await
                .unwrap();
        tokio::spawn(connection);
        within(client.send_request(request)).await
    } else {
        let (mut client, connection) = hyper::client::conn::http1::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        within(client.send_request(request)).await
    }
}

pub fn get(version: Version, address: SocketAddr, path: &str) -> http::request::Builder {
    let uri = format!("http://{address}{path}");
    let request = Request::get(uri).version(version);
    match version {
        // It has `:authority` instead, and nginx refuses both.
        Version::HTTP_2 => request,
        _ => request.header("host", address.to_string()),
    }
}

/// Reads until what has come ends with `end`; all of it.
pub async fn read_until(body: &mut Incoming, end: &str) -> String {
    let mut all = Vec::new();
    while !all.ends_with(end.as_bytes()) {
        let frame = within(body.frame()).await;
        let Some(frame) = frame else {
            panic!("ended after {:?}", String::from_utf8_lossy(&all))
        };
        all.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    String::from_utf8(all).unwrap()
}

pub async fn read_to_end(body: Incoming) -> String {
    let bytes = within(body.collect()).await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("within the deadline")
}

/// Waits until something is so, looking again whenever other tasks have run.
pub async fn until(what: impl fmt::Display, so: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !so() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        tokio::task::yield_now().await;
    }
}
