//! Notifications: a topic for each of a million users, few of whom are online.
//!
//! ```sh
//! cargo run --release --example notifications --features axum -- --users 1000000
//! curl -N localhost:8080/users/7                          # those unread, then each new one
//! curl localhost:8080/users/7 -d 'You have mail'
//! curl localhost:8080/users/7/read -d '<id>'              # marks all up to this one read
//! curl localhost:8080/stats
//! ```
//!
//! Or open `http://127.0.0.1:8080/?7`. It publishes an event to each user at the start and prints
//! the memory they take. A million events take 237 MB; with their topics, the process takes 630 MB.

#[path = "../support/cli.rs"]
mod cli;
#[path = "../support/serve.rs"]
mod serve;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_sse::hub::{Hub, Retention, Start};
use tower_sse::{Event, EventId, KeepAlive, LastEventId, SseLayer};

use self::cli::{Args, Failure};

const HELP: &str = "
A topic for each user, few of whom are online.

usage: notifications [--port N] [--users N]

  --port N   listen on this port; by default on 8080, or on a free one
  --users N  how many users there are; 1000 by default
";

const UNHARMED: &str = "nothing panics while it is locked";
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[derive(Clone)]
struct Inboxes {
    hub: Hub,
    users: u32,
    /// The last event that each user has read.
    read: Arc<Mutex<HashMap<u32, EventId>>>,
}

impl Inboxes {
    /// A user's topic. A real service takes the user from the session, as `examples/chat` does.
    fn topic(&self, user: u32) -> Result<String, StatusCode> {
        let known = user < self.users;
        known
            .then(|| format!("user/{user}"))
            .ok_or(StatusCode::NOT_FOUND)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = Args::new(HELP);
    let users = args.option("--users")?.unwrap_or(1_000);
    let listener = TcpListener::from_std(args.listen()?)?;

    let hub = Hub::builder()
        .retain_prefix("user/", Retention::new().events(20).age(WEEK))
        // For all users together. Beyond this, the oldest events are evicted.
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

    let read = Arc::default();
    let app = Router::new()
        .route("/", get(Html(include_str!("../pages/notifications.html"))))
        .route(
            "/users/{user}",
            get(follow).layer(SseLayer::new()).post(notify),
        )
        .route("/users/{user}/read", post(mark_read))
        .route(
            "/stats",
            get(async |app: State<Inboxes>| format!("{:#?}\n", app.hub.stats())),
        )
        .layer(DefaultBodyLimit::max(4 << 10))
        .with_state(Inboxes {
            hub: hub.clone(),
            users,
            read,
        });

    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}

async fn follow(
    State(app): State<Inboxes>,
    Path(user): Path<u32>,
    last: Option<LastEventId>,
) -> Result<impl IntoResponse, StatusCode> {
    let topic = app.topic(user)?;
    let read = app.read.lock().expect(UNHARMED).get(&user).cloned();
    // A newly opened page has no last event ID, and starts with the unread events. A page that
    // reconnects resumes where it left off.
    let start = read.map_or(Start::Oldest, Start::After);
    let subscription = app
        .hub
        .subscriber()
        .topic(topic)
        .start(start)
        .after(last)
        .subscribe();
    Ok(subscription.map(|subscription| subscription.keep_alive(KeepAlive::default())))
}

async fn notify(
    State(app): State<Inboxes>,
    Path(user): Path<u32>,
    text: String,
) -> Result<(), StatusCode> {
    app.hub.topic(&app.topic(user)?).publish(Event::new(text));
    Ok(())
}

async fn mark_read(
    State(app): State<Inboxes>,
    Path(user): Path<u32>,
    id: String,
) -> Result<(), StatusCode> {
    app.topic(user)?;
    let id = EventId::try_from(id).map_err(|_| StatusCode::BAD_REQUEST)?;
    app.read.lock().expect(UNHARMED).insert(user, id);
    Ok(())
}
