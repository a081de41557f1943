//! Generations that outlive their requests: a POST starts a run, and any number of GETs read it.
//!
//! `cargo run --example llm --features axum`, then open the address, ask something, and reload the
//! page in the middle of the answer. Or:
//!
//! ```sh
//! run=$(curl -s localhost:8080/runs -d 'Why is the sky blue?')
//! curl -N localhost:8080/runs/$run                      # from the first token, whenever it is asked
//! curl -N localhost:8080/runs/$run -H 'Last-Event-ID: <id>'      # after this event; 204 after the last
//! curl -X DELETE localhost:8080/runs/$run                                       # the stop button
//! ```

#[path = "../support/cli.rs"]
mod cli;
#[path = "../support/serve.rs"]
mod serve;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header::LOCATION};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt, stream};
use tokio::net::TcpListener;
use tokio::time::interval;
use tokio_stream::wrappers::IntervalStream;
use tokio_util::sync::CancellationToken;
use tower_sse::hub::{Hub, Refused, Retention, Start};
use tower_sse::{Event, KeepAlive, LastEventId, SseLayer};

use self::cli::{Args, Failure};

const HELP: &str = "
Generations that a POST starts and any number of GETs read and resume.

usage: llm [--port N] [--keep SECONDS]

  --port N   listen on this port; by default on 8080, or on a free one
  --keep S   keep a run for this long after its last token; 600 by default
";

const MAX_RUNNING: usize = 1_000;
const UNHARMED: &str = "nothing panics while it is locked";

#[derive(Clone)]
struct App {
    hub: Hub,
    /// The senders that stop the runs that have not ended.
    running: Arc<Mutex<HashMap<String, CancellationToken>>>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = Args::new(HELP);
    let kept = args.option("--keep")?.unwrap_or(600);
    let listener = TcpListener::from_std(args.listen()?)?;
    println!("Ask on http://{}/", listener.local_addr()?);

    let kept = Retention::new()
        .events(100_000)
        .age(Duration::from_secs(kept));
    let hub = Hub::builder()
        .retain_prefix("run/", kept)
        .retain_bytes(256 << 20)
        .build();
    let running = Arc::default();
    let app = Router::new()
        .route("/", get(Html(include_str!("../pages/llm.html"))))
        .route("/runs", post(start).layer(DefaultBodyLimit::max(64 << 10)))
        .route("/runs/{id}", get(read).delete(stop).layer(SseLayer::new()))
        .with_state(App {
            hub: hub.clone(),
            running,
        });

    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}

async fn start(State(app): State<App>, prompt: String) -> Response {
    // Knowing the ID is all it takes to read a run, so it must not be guessable.
    let id = format!("{:016x}", RandomState::new().hash_one(&prompt));
    let stop = CancellationToken::new();
    {
        let mut running = app.running.lock().expect(UNHARMED);
        if running.len() >= MAX_RUNNING {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        running.insert(id.clone(), stop.clone());
    }
    // Published before the client learns the ID, since a run without events is answered 404.
    let asked = Event::new(prompt.clone()).with_type("prompt");
    app.hub.topic(&topic(&id)).publish(asked);
    tokio::spawn(generate(app, id.clone(), prompt, stop));
    (StatusCode::CREATED, [(LOCATION, format!("/runs/{id}"))], id).into_response()
}

async fn generate(app: App, id: String, prompt: String, stop: CancellationToken) {
    let topic = topic(&id);
    let mut tokens = pin!(model(&prompt).take_until(stop.cancelled()));
    while let Some(token) = tokens.next().await {
        app.hub.topic(&topic).publish(Event::new(token));
    }
    app.hub.topic(&topic).finish(Event::new("[DONE]"));
    app.running.lock().expect(UNHARMED).remove(&id);
}

async fn read(
    State(app): State<App>,
    Path(id): Path<String>,
    last: Option<LastEventId>,
) -> Result<Response, Refused> {
    let topic = topic(&id);
    let run = app.hub.subscriber().topic(&*topic).start(Start::Oldest);
    let subscription = run.after(last).subscribe()?;
    // Never started, or expired: subscribing evicts events that are too old.
    if app.hub.topic(&topic).stats().retained == 0 {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    Ok(subscription
        .keep_alive(KeepAlive::default())
        .into_response())
}

async fn stop(State(app): State<App>, Path(id): Path<String>) -> StatusCode {
    match app.running.lock().expect(UNHARMED).get(&id) {
        Some(stop) => stop.cancel(),
        None => return StatusCode::NOT_FOUND,
    }
    StatusCode::NO_CONTENT
}

fn topic(id: &str) -> String {
    format!("run/{id}")
}

/// Stands in for a model.
fn model(prompt: &str) -> impl Stream<Item = String> + use<> {
    let answer = format!("You asked: {prompt}\nA model would now answer that, a token at a time.");
    let tokens: Vec<_> = answer.split_inclusive(' ').map(str::to_owned).collect();
    let pace = IntervalStream::new(interval(Duration::from_millis(60)));
    pace.zip(stream::iter(tokens)).map(|(_, token)| token)
}
