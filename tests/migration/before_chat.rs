//! A chat room: everyone who listens hears what is said, and who comes.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    name: String,
    text: String,
}

#[derive(Clone)]
enum Happening {
    Joined(String),
    Said(Line),
}

type Room = broadcast::Sender<Happening>;

pub(crate) fn app() -> Router {
    let room = Room::new(64);
    Router::new()
        .route("/listen/{name}", get(listen))
        .route("/say", post(say))
        .with_state(room)
}

async fn say(State(room): State<Room>, Query(line): Query<Line>) {
    // Nobody may be there to hear it.
    _ = room.send(Happening::Said(line));
}

async fn listen(
    State(room): State<Room>,
    Path(name): Path<String>,
) -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    let happenings = BroadcastStream::new(room.subscribe());
    // What a slow listener misses is left out.
    let happenings = happenings.filter_map(async |happening| happening.ok());
    let events = happenings.map(|happening| match happening {
        Happening::Joined(name) => Ok(Event::default().event("joined").data(name)),
        Happening::Said(line) => Event::default().event("said").json_data(line),
    });
    _ = room.send(Happening::Joined(name));
    Sse::new(events).keep_alive(KeepAlive::default())
}
