//! An event stream with hyper alone, HTTP/1.1 and HTTP/2 on one port.
//!
//! `cargo run --example hyper 8080`, then `curl -N http://127.0.0.1:8080/`, and the same with
//! `--http2-prior-knowledge` or `-H 'Last-Event-ID: 41'`.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_io_timeout::TimeoutStream;
use tokio_stream::wrappers::IntervalStream;
use tower::ServiceBuilder;
use tower_sse::{Event, KeepAlive, LastEventId, SseBody, SseLayer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("Event stream on http://{}/", listener.local_addr()?);

    // The layer sets the headers and finds out what a reconnecting client saw last.
    let service = ServiceBuilder::new()
        .layer(SseLayer::new())
        .service_fn(seconds);
    loop {
        let (socket, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            // Out of file descriptors, or a client that left at once: the next one may do better.
            Err(error) => {
                eprintln!("accept: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // A client that has stopped reading without closing is never polled again, so nothing in
        // the body could free it. What it has not taken after half a minute ends the connection.
        let mut socket = TimeoutStream::new(socket);
        socket.set_write_timeout(Some(Duration::from_secs(30)));

        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new());
            builder.http2().timer(TokioTimer::new());
            let io = TokioIo::new(Box::pin(socket));
            if let Err(error) = builder.serve_connection(io, service).await {
                eprintln!("connection: {error}"); // most often a client that has left
            }
        });
    }
}

async fn seconds(
    request: Request<Incoming>,
) -> Result<Response<impl Body<Data = bytes::Bytes, Error = Infallible>>, Infallible> {
    let last = request.extensions().get::<LastEventId>();
    let body = SseBody::new(count(last)).keep_alive(KeepAlive::default());
    Ok(body.into_http_response())
}

/// Counts the seconds, going on after the last one that the client saw.
fn count(last: Option<&LastEventId>) -> impl Stream<Item = Event> + use<> {
    let seen = last.and_then(LastEventId::number).unwrap_or(0);
    let seconds = IntervalStream::new(tokio::time::interval(Duration::from_secs(1)));
    futures_util::stream::iter(seen.saturating_add(1)..=u64::MAX)
        .zip(seconds)
        .map(|(number, _)| Event::new(format!("second {number}")).with_id(number))
}
