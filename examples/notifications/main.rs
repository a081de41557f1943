//! Notifications: a topic for each of a million users, few of whom are online.
//!
//! ```sh
//! cargo run --release --example notifications --features axum -- --users 1000000
//! curl -N localhost:8080/users/7                          # unread events, then each new one
//! curl localhost:8080/users/7 -d 'You have mail'
//! curl localhost:8080/users/7/read -d '<id>'              # marks events up to this one as read
//! curl localhost:8080/stats
//! ```
//!
//! Or open `http://127.0.0.1:8080/?7`. At the start, the server publishes an event to each user and prints
//! the memory of all inboxes. A million events take 237 MB; with their topics, the process takes 630 MB.
//!
//! Look at `follow` in `inboxes.rs`: a new page starts with the unread events, and a page that
//! reconnects resumes where it left off.

#[path = "../support/cli.rs"]
mod cli;
mod inboxes;
#[path = "../support/serve.rs"]
mod serve;

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Html;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_sse::hub::{Hub, Retention};
use tower_sse::{Event, SseLayer};

use self::cli::{Args, Failure};
use self::inboxes::Inboxes;

const HELP: &str = "
A topic for each user, few of whom are online.

usage: notifications [--port N] [--users N]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
  --users N  how many users there are; 1000 by default
";

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = Args::new(HELP);
    let users = args.option("--users")?.unwrap_or(1_000);
    let listener = TcpListener::from_std(args.listen()?)?;

    let hub = Hub::builder()
        .retain_prefix("user/", Retention::new().events(20).age(WEEK))
        // For all users together. Beyond this limit, the oldest events are evicted.
        .retain_bytes(1 << 30)
        .build();
    let start = Instant::now();
    for user in 0..users {
        hub.topic(&format!("user/{user}"))
            .publish(Event::new("Welcome"));
    }
    let (time, stats) = (start.elapsed(), hub.stats());
    let (topics, megabytes) = (stats.topics, stats.retained_bytes / 1_000_000);
    let address = listener.local_addr()?;
    println!("{topics} inboxes of {megabytes} MB in {time:.1?}, on http://{address}/?7");

    let app = Router::new()
        .route("/", get(Html(include_str!("../pages/notifications.html"))))
        .route(
            "/users/{user}",
            get(inboxes::follow)
                .layer(SseLayer::new())
                .post(inboxes::notify),
        )
        .route("/users/{user}/read", post(inboxes::mark_read))
        .route("/stats", get(inboxes::stats))
        .layer(DefaultBodyLimit::max(4 << 10))
        .with_state(Inboxes::new(hub.clone(), users));

    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}
