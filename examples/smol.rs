//! An event stream without tokio: hyper on smol's sockets, executor and timers.
//!
//! `cargo run -p integrations --example smol`, then `curl -N http://127.0.0.1:8080/`. A crate of its own
//! would depend on `tower-sse` with `default-features = false`.
//!
//! Look at the timer that heartbeats run on.

#[path = "support/cli.rs"]
mod cli;

use std::convert::Infallible;
use std::time::Duration;

use async_signal::{Signal, Signals};
use futures_util::StreamExt;
use http::{Request, Response};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper_util::service::TowerToHyperService;
use smol::net::TcpListener;
use smol_hyper::rt::{FuturesIo, SmolTimer};
use tower::ServiceBuilder;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use self::cli::{Args, Failure};

const HELP: &str = "
An event stream without tokio.

usage: smol [--port N]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
";

fn main() -> Result<(), Failure> {
    let listener = Args::new(HELP).listen()?;
    println!("Event stream on http://{}/", listener.local_addr()?);
    let listener = TcpListener::try_from(listener)?;
    let mut ctrl_c = Signals::new([Signal::Int])?;
    let stop = async { _ = ctrl_c.next().await };
    smol::block_on(smol::future::or(serve(listener), stop));
    Ok(())
}

async fn serve(listener: TcpListener) {
    let service = ServiceBuilder::new()
        .layer(SseLayer::new())
        .service_fn(events);
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // Out of file descriptors, or a client that disconnected at once: the next connection may
            // succeed.
            smol::Timer::after(Duration::from_millis(100)).await;
            continue;
        };
        let service = TowerToHyperService::new(service.clone());
        smol::spawn(async move {
            let mut builder = http1::Builder::new();
            builder.timer(SmolTimer::new());
            let connection = builder.serve_connection(FuturesIo::new(socket), service);
            if let Err(error) = connection.await {
                eprintln!("connection: {error}"); // usually a client that has disconnected
            }
        })
        .detach();
    }
}

async fn events(
    _: Request<Incoming>,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let seconds = smol::Timer::interval(Duration::from_secs(3));
    let events = seconds
        .enumerate()
        .map(|(number, _)| Event::new(format!("event {number}")));
    // Any function from a duration to a future is a timer. The default of 15 s is right for
    // production; one second shows the heartbeats.
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(1));
    let body = SseBody::with_timer(events, smol::Timer::after).keep_alive(keep_alive);
    Ok(body.into_http_response())
}
