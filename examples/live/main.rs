//! A live football ticker: `cargo run --example live`, then open the address it prints.
//!
//! Pull the plug on the page: the server cuts its connection for five seconds. The browser reconnects
//! with `Last-Event-ID`, receives what it missed, and the page checks that nothing is missing. The
//! drawer at the bottom shows the bytes. All tabs share one stream (`shared.js`). Without `EventSource`,
//! or with `?transport=poll`, the page sends long polls to the same endpoint.

mod assets;
#[path = "../support/cli.rs"]
mod cli;
mod game;
mod plug;
mod script;
#[path = "../support/serve.rs"]
mod serve;
mod ticker;
mod wire;

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_sse::SseLayer;

use self::cli::{Args, Failure, fail};
use self::ticker::Ticker;

const HELP: &str = "
A live football ticker over Server-Sent Events.

usage: live [--port N] [--speed X] [--plug S]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
  --speed X  play X times as fast, from 0.01 to 1000
  --plug S   a pulled plug goes back in after S seconds; 5 by default
";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = Args::new(HELP);
    let speed = args.option("--speed")?.unwrap_or(1.0);
    if !(0.01..=1000.0).contains(&speed) {
        return Err(fail("--speed is between 0.01 and 1000"));
    }
    let plug: u16 = args.option("--plug")?.unwrap_or(5);
    let plug = Duration::from_secs(plug.into());
    let listener = TcpListener::from_std(args.listen()?)?;
    let address = listener.local_addr()?;
    println!(
        "Live ticker on http://{address}/\nOpen it and pull the plug. Ctrl-C stops the server."
    );

    let ticker = Ticker::start(speed, plug);
    let hub = ticker.hub.clone();
    // An `EventSource` that a script makes anew can only say in the query what it has seen.
    let event_stream = SseLayer::new().query_fallback();
    let app = Router::new()
        .route("/events", get(ticker::events).layer(event_stream.clone()))
        .route("/wire", get(ticker::wire).layer(event_stream))
        .route("/status", get(ticker::status))
        .route("/plug", post(ticker::pull).delete(ticker::put_back))
        .with_state(ticker)
        .merge(assets::routes());
    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}
