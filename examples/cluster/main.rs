//! A live ticker on any number of nodes that share a Redis stream. Each node serves the page, and
//! any of them may be stopped:
//!
//! ```sh
//! redis-server --port 6379
//! cargo run --example cluster --features axum,redis -- --redis redis://localhost --port 8081
//! cargo run --example cluster --features axum,redis -- --redis redis://localhost --port 8082
//! ```
//!
//! Open either address. The page shows which node serves it. Stop that node, or press *Hop*: the
//! page reconnects to another node, resumes, and checks that no line is missing. Behind a reverse
//! proxy, the proxy chooses the node instead.
//!
//! Look at `main` for the hub and its endpoint, and at `game.rs` for publishing from any node.

#[path = "../support/cli.rs"]
mod cli;
mod game;
#[path = "../support/serve.rs"]
mod serve;

use std::future::ready;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::response::Html;
use axum::routing::get;
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_sse::hub::{Hub, HubService, Start};
use tower_sse::{Event, Prelude, SseBody, Subscription};

use self::cli::{Args, Failure};

const HELP: &str = "
A live ticker on any number of nodes that share a Redis stream.

usage: cluster [--redis URL] [--port N]

  --redis URL  use this Redis server; by default redis://localhost
  --port N     listen on this port; 8080 by default, or a free port if 8080 is taken
";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = Args::new(HELP);
    let url = args.option::<String>("--redis")?;
    let url = url.unwrap_or_else(|| "redis://localhost".to_owned());
    let listener = TcpListener::from_std(args.listen()?)?;
    let node = listener.local_addr()?.to_string();
    println!("Node on http://{node}/ with {url}");

    let hub = Hub::redis(&url, "tower-sse-ticker")?.build()?;
    tokio::spawn(game::play(hub.clone(), node.clone()));

    let events = HubService::new(hub.clone())
        .select(|_, subscriber| Ok(subscriber.topic("match").start(Start::Last(5))))
        // When a node stops, its clients can reconnect soon, because other nodes are running.
        .prelude(Prelude::new().retry(Duration::from_millis(500)));
    let events = ServiceBuilder::new()
        .map_response(move |response| introduce(&node, response))
        .service(events);
    let node_hub = hub.clone();
    let app = Router::new()
        .route("/", get(Html(include_str!("../pages/cluster.html"))))
        .route_service("/events", events)
        .route(
            "/status",
            get(move || ready(format!("{:#?}\n", node_hub.status()))),
        );
    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}

/// Sends the name of the node first. The event has no ID, so it does not change where the client
/// resumes.
fn introduce(
    node: &str,
    response: Response<SseBody<Subscription, tower_sse::timer::TokioTimer>>,
) -> Response<Body> {
    let is_stream = response.status().is_success();
    let mut response = response.map(|body| {
        let name = Event::new(node).with_type("node").encode();
        let name = is_stream.then(|| Ok(name.into_bytes()));
        let events = Body::new(body).into_data_stream();
        Body::from_stream(stream::iter(name).chain(events))
    });
    // A page that one node serves reads the events of another node.
    let anyone = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    response
}
