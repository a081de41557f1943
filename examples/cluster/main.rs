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

#[path = "../support/cli.rs"]
mod cli;
#[path = "../support/serve.rs"]
mod serve;

use std::future::ready;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::response::Html;
use axum::routing::get;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tower::ServiceBuilder;
use tower_sse::hub::{Hub, HubService, Redis, Start};
use tower_sse::{Event, Prelude, SseBody, Subscription};

use self::cli::{Args, Failure};

const HELP: &str = "
A live ticker on any number of nodes that share a Redis stream.

usage: cluster [--redis URL] [--port N]

  --redis URL  use this Redis server; by default redis://localhost
  --port N     listen on this port; by default on 8080, or on a free one
";

/// What happens on the pitch, over and over.
const LINES: [&str; 8] = [
    "A long ball over the top, and the goalkeeper is off her line to meet it.",
    "Corner. Headed clear at the near post.",
    "They keep the ball, from side to side, looking for a gap.",
    "A shot from 20 metres, just wide.",
    "Free kick in the centre circle, quickly taken.",
    "Saved! Both hands behind it.",
    "The flag is up: offside, by a boot.",
    "Goal! Nobody tracked the run.",
];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = Args::new(HELP);
    let url = args.option::<String>("--redis")?;
    let url = url.unwrap_or_else(|| "redis://localhost".to_owned());
    let listener = TcpListener::from_std(args.listen()?)?;
    let node = listener.local_addr()?.to_string();
    println!("Node on http://{node}/ with {url}");

    let hub = Hub::redis(&url, "tower-sse-ticker")?.build()?;
    tokio::spawn(play(hub.clone(), node.clone()));

    let events = HubService::new(hub.clone())
        .select(|_, subscriber| Ok(subscriber.topic("match").start(Start::Last(5))))
        // When a node stops, its clients need not wait long, because other nodes are running.
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
    // The page of one node reads the events of another.
    let anyone = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    response
}

/// Publishes the next line one second after the last, whichever node published that. All nodes try
/// and one succeeds, so the match continues while any node is running.
async fn play(hub: Hub<Redis>, node: String) {
    let mut last = 0;
    // A stream ends when Redis has lost events.
    while let Ok(lines) = hub
        .subscriber()
        .topic("match")
        .start(Start::Last(1))
        .subscribe()
    {
        let mut lines = lines.into_stream();
        loop {
            // The jitter lets the nodes take turns.
            let pause = 1_000 + RandomState::new().hash_one(last) % 50;
            match timeout(Duration::from_millis(pause), lines.next()).await {
                Ok(Some(Ok(line))) => last = number(&line.data()),
                Ok(Some(Err(_))) => {}
                Ok(None) => break,
                Err(_) => publish(&hub, last + 1, &node).await,
            }
        }
    }
}

async fn publish(hub: &Hub<Redis>, number: u64, node: &str) {
    let text = LINES[usize::try_from(number).unwrap_or_default() % LINES.len()];
    let line = json!({ "number": number, "by": node, "text": text });
    let topic = hub.topic("match");
    let name = format!("line {number}");
    // An error does no harm: some node tries again in a second, under the same name.
    if let Err(error) = topic
        .publish_once(&name, Event::new(line.to_string()))
        .await
    {
        eprintln!("line {number}: {error}");
    }
}

fn number(line: &str) -> u64 {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    line["number"].as_u64().unwrap_or_default()
}
