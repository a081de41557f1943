//! An event stream with axum, and a graceful shutdown with a farewell.
//!
//! `cargo run --example axum --features axum`, then `curl -N http://127.0.0.1:8080/events`, and Ctrl-C in
//! the first terminal: the stream ends with a `bye` event.
//!
//! Look at `events` for everything a stream should have, and at `main` for the shutdown.

#[path = "support/cli.rs"]
mod cli;

use std::future::{IntoFuture, pending};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio_stream::wrappers::IntervalStream;
use tokio_util::sync::CancellationToken;
use tower_sse::{Event, EventType, KeepAlive, LastEventId, Prelude, SseBody, SseLayer};

use self::cli::{Args, Failure};

const HELP: &str = "
An event stream with axum that counts the seconds.

usage: axum [--port N]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
";

/// The maximum duration of a shutdown.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::from_std(Args::new(HELP).listen()?)?;
    println!("Event stream on http://{}/events", listener.local_addr()?);

    let stop = CancellationToken::new();
    let app = Router::new()
        // Only around the event streams. Around a whole application, use
        // `SseLayer::new().detect_only()`.
        .route("/events", get(events).layer(SseLayer::new()))
        .with_state(stop.clone());
    // axum waits for open connections, and these streams do not end until they are stopped.
    let stopping = stop.clone();
    let serve = axum::serve(listener, app).with_graceful_shutdown(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await; // no signals on this system
        }
        stopping.cancel();
    });
    tokio::select! {
        served = serve.into_future() => served?,
        // A client that has stopped reading would block the shutdown forever.
        () = async {
            stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        } => println!("Dropped the clients that had stopped reading"),
    }
    Ok(())
}

async fn events(
    last: Option<LastEventId>,
    State(stop): State<CancellationToken>,
) -> impl IntoResponse {
    // The client says where to resume. Its number can be as large as `u64::MAX`, so the range is
    // inclusive. The ID never decides what a client may see.
    let seen = last.and_then(|last| last.number()).unwrap_or(0);

    let seconds = IntervalStream::new(tokio::time::interval(Duration::from_secs(1)));
    let events = futures_util::stream::iter(seen.saturating_add(1)..=u64::MAX)
        .zip(seconds)
        .map(|(number, _)| Event::new(format!("second {number}")).with_id(number));
    SseBody::new(events)
        .keep_alive(KeepAlive::default())
        // After the farewell, clients reconnect over five seconds rather than all at once.
        .prelude(
            Prelude::new()
                .retry(Duration::from_secs(1))
                .spread(Duration::from_secs(4)),
        )
        .end_when(stop.cancelled_owned())
        .farewell(Event::new("back in a minute").with_type(EventType::from_static("bye")))
}
