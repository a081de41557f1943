//! A chat with a topic for each room, authorization, presence, and a moderator who can kick users.
//!
//! `cargo run --example chat --features axum`, then open the address in two browsers, as two users.
//! Or, with the users and rooms of `users.rs`:
//!
//! ```sh
//! curl -N localhost:8080/rooms/lobby -b token=ben-7                 # 403 in /rooms/staff
//! curl localhost:8080/rooms/lobby -b token=anna-7 -d 'Hello'
//! curl localhost:8080/rooms/lobby/kick -b token=anna-7 -d ben       # anna moderates
//! ```
//!
//! Look at `select` below: it authorizes a subscriber and chooses the topic. `rooms.rs` publishes, and
//! `presence.rs` tells each room who is in it.

#[path = "../support/cli.rs"]
mod cli;
mod presence;
mod rooms;
#[path = "../support/serve.rs"]
mod serve;
mod users;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Html;
use axum::routing::{get, get_service, post};
use tokio::net::TcpListener;
use tower_sse::hub::{Hub, HubService, Retention, Start};

use self::cli::{Args, Failure};
use self::rooms::Chat;

const HELP: &str = "
A chat with rooms, authorization and presence.

usage: chat [--port N]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::from_std(Args::new(HELP).listen()?)?;
    println!("Chat on http://{}/", listener.local_addr()?);

    let day = Duration::from_secs(24 * 60 * 60);
    let hub = Hub::builder()
        .retain_prefix("room/", Retention::new().events(200).age(day))
        .max_per_owner(3)
        .build();
    let chat = Chat::new(hub.clone());
    tokio::spawn(presence::publish(chat.clone(), hub.watch()));

    let door = chat.clone();
    let streams = HubService::new(hub.clone()).select(move |parts, subscriber| {
        let (user, room) = door.enter(parts)?;
        let room = subscriber.topic(format!("room/{room}"));
        Ok(room.start(Start::Last(50)).owner(user.name))
    });
    let app = Router::new()
        .route("/", get(Html(include_str!("../pages/chat.html"))))
        .route("/rooms/{room}", get_service(streams).post(rooms::say))
        .route("/rooms/{room}/kick", post(rooms::kick))
        .layer(DefaultBodyLimit::max(4 << 10))
        .with_state(chat);

    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}
