//! What a user has received and read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use tower_sse::hub::{Hub, Start};
use tower_sse::{Event, EventId, KeepAlive, LastEventId};

const UNHARMED: &str = "nothing panics while it is locked";

#[derive(Clone)]
pub(crate) struct Inboxes {
    hub: Hub,
    users: u32,
    /// The ID of the last event that each user has read.
    read: Arc<Mutex<HashMap<u32, EventId>>>,
}

impl Inboxes {
    pub(crate) fn new(hub: Hub, users: u32) -> Self {
        let read = Arc::default();
        Self { hub, users, read }
    }

    /// A user's topic. A real service takes the user from the session, as the example `chat` does.
    fn topic(&self, user: u32) -> Result<String, StatusCode> {
        let known = user < self.users;
        known
            .then(|| format!("user/{user}"))
            .ok_or(StatusCode::NOT_FOUND)
    }
}

pub(crate) async fn follow(
    State(app): State<Inboxes>,
    Path(user): Path<u32>,
    last: Option<LastEventId>,
) -> Result<impl IntoResponse, StatusCode> {
    let topic = app.topic(user)?;
    let read = app.read.lock().expect(UNHARMED).get(&user).cloned();
    // A new page has no last event ID and starts with the unread events. A page that reconnects resumes
    // after its last event.
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

pub(crate) async fn notify(
    State(app): State<Inboxes>,
    Path(user): Path<u32>,
    text: String,
) -> Result<(), StatusCode> {
    app.hub.topic(&app.topic(user)?).publish(Event::new(text));
    Ok(())
}

pub(crate) async fn mark_read(
    State(app): State<Inboxes>,
    Path(user): Path<u32>,
    id: String,
) -> Result<(), StatusCode> {
    app.topic(user)?;
    let id = EventId::try_from(id).map_err(|_| StatusCode::BAD_REQUEST)?;
    app.read.lock().expect(UNHARMED).insert(user, id);
    Ok(())
}

pub(crate) async fn stats(State(app): State<Inboxes>) -> String {
    format!("{:#?}\n", app.hub.stats())
}
