//! Generations that outlive their requests: a POST starts a run, and any number of GETs read it.
//!
//! `cargo run --example llm --features axum`, then open the address, ask something, and reload the
//! page in the middle of the answer. Or:
//!
//! ```sh
//! run=$(curl -s localhost:8080/runs -d 'Why is the sky blue?')
//! curl -N localhost:8080/runs/$run                                 # from the first token, at any time
//! curl -N localhost:8080/runs/$run -H 'Last-Event-ID: <id>'        # after this event; 204 after the last
//! curl -X DELETE localhost:8080/runs/$run                          # the stop button
//! ```
//!
//! Look at `runs.rs`: a run is a topic of the hub, which is finished after the last token. OpenAI's SDKs
//! read `openai.rs`, with `base_url` set to `http://localhost:8080/v1`.

#[path = "../support/cli.rs"]
mod cli;
mod model;
mod openai;
mod runs;
#[path = "../support/serve.rs"]
mod serve;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Html;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_sse::SseLayer;
use tower_sse::hub::{Hub, Retention};

use self::cli::{Args, Failure};
use self::runs::Runs;

const HELP: &str = "
Generations that a POST starts and any number of GETs read and resume.

usage: llm [--port N] [--keep SECONDS]

  --port N        listen on this port; 8080 by default, or a free port if 8080 is taken
  --keep SECONDS  keep a run for this long after its last token; 600 by default
";

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
    let sse = SseLayer::new();
    let app = Router::new()
        .route("/", get(Html(include_str!("../pages/llm.html"))))
        .route("/runs", post(runs::start))
        .route(
            "/runs/{id}",
            get(runs::read).delete(runs::stop).layer(sse.clone()),
        )
        .route("/v1/chat/completions", post(openai::complete).layer(sse))
        .layer(DefaultBodyLimit::max(64 << 10))
        .with_state(Runs::new(hub.clone()));

    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}
