//! A chat with a topic for each room, authorization, presence, and a moderator who can kick users.
//!
//! `cargo run --example chat --features axum`, then open the address in two browsers, as two users.
//! Or, with users and rooms as below:
//!
//! ```sh
//! curl -N localhost:8080/rooms/lobby -b token=ben-7                 # 403 in /rooms/staff
//! curl localhost:8080/rooms/lobby -b token=anna-7 -d 'Hello'
//! curl localhost:8080/rooms/lobby/kick -b token=anna-7 -d ben       # anna moderates
//! ```

#[path = "../support/cli.rs"]
mod cli;
#[path = "../support/serve.rs"]
mod serve;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header::COOKIE, request::Parts};
use axum::response::Html;
use axum::routing::{get, get_service, post};
use futures_util::StreamExt;
use serde_json::json;
use tokio::net::TcpListener;
use tower_sse::Event;
use tower_sse::hub::{Hub, HubService, Retention, Start, Watch};

use self::cli::{Args, Failure};

const HELP: &str = "
A chat with rooms, authorisation and presence.

usage: chat [--port N]

  --port N   listen on this port; by default on 8080, or on a free one
";

struct User {
    name: &'static str,
    token: &'static str,
    rooms: &'static [&'static str],
}

/// Stands in for a session store.
#[rustfmt::skip]
const USERS: [User; 3] = [
    User { name: "anna", token: "anna-7", rooms: &["lobby", "staff"] },
    User { name: "ben", token: "ben-7", rooms: &["lobby"] },
    User { name: "cleo", token: "cleo-7", rooms: &["lobby"] },
];
const MODERATOR: &str = "anna";
const UNHARMED: &str = "nothing panics while it is locked";

#[derive(Clone)]
struct Chat {
    hub: Hub,
    /// Pairs of a room and a user who may no longer enter it.
    kicked: Arc<Mutex<HashSet<(String, String)>>>,
}

impl Chat {
    /// The user and the room of a request, if the user may enter the room.
    fn enter<'a>(&self, parts: &'a Parts) -> Result<(&'static User, &'a str), StatusCode> {
        // An `EventSource` sends cookies, but cannot set headers.
        let cookies = parts.headers.get_all(COOKIE).iter();
        let cookies = cookies.filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split("; "));
        let token = pairs.find_map(|pair| pair.strip_prefix("token="));
        let user = USERS.iter().find(|user| Some(user.token) == token);
        let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
        let room = parts.uri.path().split('/').nth(2).unwrap_or_default();
        if !user.rooms.contains(&room) || self.is_kicked(room, user.name) {
            return Err(StatusCode::FORBIDDEN);
        }
        Ok((user, room))
    }

    fn is_kicked(&self, room: &str, name: &str) -> bool {
        let kicked = self.kicked.lock().expect(UNHARMED);
        kicked.contains(&(room.to_owned(), name.to_owned()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::from_std(Args::new(HELP).listen()?)?;
    println!("Chat on http://{}/", listener.local_addr()?);

    let history = Retention::new()
        .events(200)
        .age(Duration::from_secs(24 * 60 * 60));
    let builder = Hub::builder().retain_prefix("room/", history);
    let hub = builder.max_per_owner(3).build();
    let kicked = Arc::default();
    let chat = Chat {
        hub: hub.clone(),
        kicked,
    };
    tokio::spawn(tell_presence(chat.clone(), hub.watch()));

    let door = chat.clone();
    let streams = HubService::new(hub.clone()).select(move |parts, subscriber| {
        let (user, room) = door.enter(parts)?;
        let room = subscriber.topic(format!("room/{room}"));
        Ok(room.start(Start::Last(50)).owner(user.name))
    });
    let app = Router::new()
        .route("/", get(Html(include_str!("../pages/chat.html"))))
        .route("/rooms/{room}", get_service(streams).post(say))
        .route("/rooms/{room}/kick", post(kick))
        .layer(DefaultBodyLimit::max(4 << 10))
        .with_state(chat);

    serve::until_ctrl_c(listener, app, hub).await?;
    Ok(())
}

async fn say(State(chat): State<Chat>, parts: Parts, text: String) -> Result<(), StatusCode> {
    let (user, room) = chat.enter(&parts)?;
    let message = json!({ "from": user.name, "text": text }).to_string();
    chat.hub
        .topic(&format!("room/{room}"))
        .publish(Event::new(message));
    Ok(())
}

async fn kick(State(chat): State<Chat>, parts: Parts, name: String) -> Result<(), StatusCode> {
    let (user, room) = chat.enter(&parts)?;
    if user.name != MODERATOR || name == MODERATOR {
        return Err(StatusCode::FORBIDDEN);
    }
    let entry = (room.to_owned(), name.clone());
    chat.kicked.lock().expect(UNHARMED).insert(entry);
    // Browsers reconnect. They resume in other rooms, but are answered 403 here and stop.
    chat.hub.owner(&name).end();
    Ok(())
}

/// Publishes who is present whenever a user enters or leaves a room, so that newcomers are told
/// too.
async fn tell_presence(chat: Chat, mut watch: Watch) {
    let mut rooms = HashMap::<String, BTreeMap<String, usize>>::new();
    while let Some(change) = watch.next().await {
        let Ok(change) = change else {
            // This task is thousands of changes behind, and some were dropped: count again.
            rooms.clear();
            continue;
        };
        let room = change.topic().strip_prefix("room/");
        let (Some(room), Some(name)) = (room, change.owner()) else {
            continue;
        };
        if change.is_arrival() && chat.is_kicked(room, name) {
            // They were kicked after `select` had let them in.
            chat.hub.owner(name).end();
        }
        // A user may have several tabs open.
        let users = rooms.entry(room.to_owned()).or_default();
        let times = users.entry(name.to_owned()).or_default();
        *times = if change.is_arrival() {
            *times + 1
        } else {
            times.saturating_sub(1)
        };
        users.retain(|_, times| *times > 0);
        let here = json!(users.keys().collect::<Vec<_>>()).to_string();
        let presence = Event::new(here).with_type("presence");
        chat.hub.topic(change.topic()).publish_transient(presence);
    }
}
