//! An event stream and gRPC on one port.
//!
//! `cargo run -p integrations --example tonic`, then `curl -N http://127.0.0.1:8080/events`, and
//! `grpcurl -plaintext 127.0.0.1:8080 grpc.health.v1.Health/Check` if you have it.
//!
//! Look at the routes: tonic's are axum's, so the event stream is one more.

#[path = "support/cli.rs"]
mod cli;

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio_stream::wrappers::IntervalStream;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use self::cli::{Args, Failure};

const HELP: &str = "
An event stream and gRPC on one port.

usage: tonic [--port N]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::from_std(Args::new(HELP).listen()?)?;
    println!("Event stream on http://{}/events", listener.local_addr()?);

    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("", ServingStatus::Serving)
        .await;

    let app = Routes::new(health)
        .prepare()
        .into_axum_router()
        .route("/events", get(events))
        // Around everything: it only changes responses labelled as event streams. gRPC passes
        // unchanged, including its trailers.
        .layer(SseLayer::new().detect_only());
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        // The streams break off here. The example `axum` ends them with a farewell.
        stop = tokio::signal::ctrl_c() => stop?,
    }
    Ok(())
}

async fn events() -> Response {
    let seconds = IntervalStream::new(tokio::time::interval(Duration::from_secs(1)));
    let events = seconds
        .enumerate()
        .map(|(number, _)| Event::new(format!("second {number}")));
    SseBody::new(events)
        .keep_alive(KeepAlive::default())
        .into_http_response()
        .map(Body::new) // with feature `axum`, the body is a response as it is
}
