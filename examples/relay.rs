//! A relay: reads another server's event stream once and serves it to any number of clients, with
//! the original event IDs.
//!
//! `cargo run --example relay --features axum http://127.0.0.1:3000/events`, or without the URL for
//! an upstream of its own, which ends each connection after three seconds. Then open the address, or:
//!
//! ```sh
//! curl -N localhost:8080/feed
//! curl -N localhost:8080/feed -H 'Last-Event-ID: 7'       # the upstream's ID
//! ```

#[path = "support/cli.rs"]
mod cli;
#[path = "support/serve.rs"]
mod serve;

use std::future::IntoFuture;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use bytes::Bytes;
use futures_util::StreamExt;
use http::Request;
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::net::TcpListener;
use tokio::time::interval;
use tower_sse::client::{ClientError, SourceEvent};
use tower_sse::hub::{Hub, HubService, Start};
use tower_sse::{Event, EventSource, MaxAge, Prelude};

use self::cli::{Args, Failure};

const HELP: &str = "
Reads another server's event stream once and serves it to any number of clients.

usage: relay [--port N] [URL]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken

Without a URL, it reads an event stream of its own.
";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = Args::new(HELP);
    let port = args.option("--port")?;
    let upstream = match args.positional() {
        Some(url) => url,
        None => own_upstream().await?,
    };
    let request = Request::get(&upstream).body(Empty::new())?;
    let listener = TcpListener::from_std(args.listen_on(port)?)?;
    println!("Feed on http://{}/ from {upstream}", listener.local_addr()?);

    let hub = Hub::builder().keep_event_ids().build();
    tokio::spawn(relay(hub.clone(), request));
    let feed = HubService::new(hub.clone())
        .select(|_, subscriber| Ok(subscriber.topic("feed").start(Start::Last(100))));
    let app = Router::new()
        .route("/", get(Html(include_str!("pages/relay.html"))))
        .route_service("/feed", feed);

    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}

/// Publishes the upstream's events, including gap events, until the upstream ends.
async fn relay(hub: Hub, request: Request<Empty<Bytes>>) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut source = EventSource::new(client, request)
        .retry_server_errors()
        // Most servers send a heartbeat every 15 seconds.
        .idle_timeout(Duration::from_secs(45));
    let feed = hub.topic("feed");
    let mut was_open = false;
    while let Some(event) = source.next().await {
        let is_lossy = match event {
            SourceEvent::Message(message) => {
                feed.publish(Event::from(message));
                continue;
            }
            // Reconnected without an ID: the upstream cannot resend what was missed.
            SourceEvent::Open(_) => {
                std::mem::replace(&mut was_open, true) && source.last_event_id().is_empty()
            }
            SourceEvent::Error(error) => {
                eprintln!("{error}; reconnecting");
                // An event was too long, or its ID cannot be sent.
                matches!(error, ClientError::Limit(_) | ClientError::UnsendableId(_))
            }
            SourceEvent::Failed(error) => {
                eprintln!("{error}");
                false
            }
            _ => false,
        };
        if is_lossy {
            // Kept in the history, so that clients that resume from before the gap are told too.
            feed.publish(Event::new("{}").with_type("gap"));
        }
    }
    // The upstream has answered 204, or with an error after which a browser would not reconnect
    // either. Our clients are told the same.
    feed.finish(None);
}

async fn own_upstream() -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let hub = Hub::builder().keep_event_ids().build();
    let events = HubService::new(hub.clone())
        .max_age(MaxAge::new(Duration::from_secs(3)))
        .prelude(Prelude::new().retry(Duration::from_millis(500)));
    let app = Router::new().route_service("/events", events);
    tokio::spawn(axum::serve(listener, app).into_future());
    tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(250));
        for n in 1_u64.. {
            ticks.tick().await;
            hub.publish(Event::new(format!("tick {n}")).with_id(n));
        }
    });
    Ok(format!("http://{address}/events"))
}
