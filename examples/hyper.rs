//! An event stream with hyper alone, HTTP/1.1 and HTTP/2 on one port.
//!
//! `cargo run --example hyper`, then `curl -N http://127.0.0.1:8080/`, and the same with
//! `--http2-prior-knowledge` or `-H 'Last-Event-ID: 41'`.
//!
//! Look at the write timeout, which detects clients that have stopped reading, and at the shutdown.

#[path = "support/cli.rs"]
mod cli;

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_io_timeout::TimeoutStream;
use tokio_stream::wrappers::IntervalStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_sse::{Event, KeepAlive, LastEventId, SseBody, SseLayer};

use self::cli::{Args, Failure};

const HELP: &str = "
An event stream with hyper alone that counts the seconds.

usage: hyper [--port N]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
";

/// The maximum duration of a shutdown.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::from_std(Args::new(HELP).listen()?)?;
    println!("Event stream on http://{}/", listener.local_addr()?);

    let stop = CancellationToken::new();
    let graceful = GracefulShutdown::new();
    let mut ctrl_c = pin!(tokio::signal::ctrl_c());
    // The layer sets the headers and reads the last event ID of reconnecting clients.
    let stopping = stop.clone();
    let service = ServiceBuilder::new()
        .layer(SseLayer::new())
        .service_fn(move |request| seconds(request, stopping.clone()));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            signal = &mut ctrl_c => {
                signal?;
                break;
            }
        };
        let (socket, _) = match accepted {
            Ok(accepted) => accepted,
            // Out of file descriptors, or a client that disconnected at once: the next connection
            // may succeed.
            Err(error) => {
                eprintln!("accept: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // The body of a client that stops reading without closing is never polled again, so nothing
        // in the body could end it. A write that takes half a minute ends the connection.
        let mut socket = TimeoutStream::new(socket);
        socket.set_write_timeout(Some(Duration::from_secs(30)));

        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new());
        builder.http2().timer(TokioTimer::new());
        let io = TokioIo::new(Box::pin(socket));
        let service = TowerToHyperService::new(service.clone());
        let connection = graceful.watch(builder.serve_connection(io, service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("connection: {error}"); // usually a client that has disconnected
            }
        });
    }
    // hyper waits for open connections, and these streams do not end until they are stopped.
    stop.cancel();
    _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    Ok(())
}

async fn seconds(
    request: Request<Incoming>,
    stop: CancellationToken,
) -> Result<Response<impl Body<Data = bytes::Bytes, Error = Infallible>>, Infallible> {
    let last = request.extensions().get::<LastEventId>();
    let body = SseBody::new(count(last))
        .keep_alive(KeepAlive::default())
        .end_when(stop.cancelled_owned());
    Ok(body.into_http_response())
}

/// Counts the seconds, from the one after the last that the client saw.
fn count(last: Option<&LastEventId>) -> impl Stream<Item = Event> + use<> {
    let seen = last.and_then(LastEventId::number).unwrap_or(0);
    let seconds = IntervalStream::new(tokio::time::interval(Duration::from_secs(1)));
    futures_util::stream::iter(seen.saturating_add(1)..=u64::MAX)
        .zip(seconds)
        .map(|(number, _)| Event::new(format!("second {number}")).with_id(number))
}
