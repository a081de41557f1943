//! Who may enter a room, what is said there, and kicks.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{StatusCode, request::Parts};
use serde_json::json;
use tower_sse::Event;
use tower_sse::hub::Hub;

use crate::users::{MODERATOR, User, authenticate};

const UNHARMED: &str = "nothing panics while it is locked";

#[derive(Clone)]
pub(crate) struct Chat {
    pub(crate) hub: Hub,
    /// Pairs of a room and a user who may no longer enter it.
    kicked: Arc<Mutex<HashSet<(String, String)>>>,
}

impl Chat {
    pub(crate) fn new(hub: Hub) -> Self {
        let kicked = Arc::default();
        Self { hub, kicked }
    }

    /// The user and the room of a request, if the user may enter the room.
    pub(crate) fn enter<'a>(
        &self,
        parts: &'a Parts,
    ) -> Result<(&'static User, &'a str), StatusCode> {
        let user = authenticate(parts).ok_or(StatusCode::UNAUTHORIZED)?;
        let room = parts.uri.path().split('/').nth(2).unwrap_or_default();
        if !user.rooms.contains(&room) || self.is_kicked(room, user.name) {
            return Err(StatusCode::FORBIDDEN);
        }
        Ok((user, room))
    }

    pub(crate) fn is_kicked(&self, room: &str, name: &str) -> bool {
        let kicked = self.kicked.lock().expect(UNHARMED);
        kicked.contains(&(room.to_owned(), name.to_owned()))
    }
}

pub(crate) async fn say(
    State(chat): State<Chat>,
    parts: Parts,
    text: String,
) -> Result<(), StatusCode> {
    let (user, room) = chat.enter(&parts)?;
    let message = json!({ "from": user.name, "text": text }).to_string();
    let topic = format!("room/{room}");
    chat.hub.topic(&topic).publish(Event::new(message));
    Ok(())
}

pub(crate) async fn kick(
    State(chat): State<Chat>,
    parts: Parts,
    name: String,
) -> Result<(), StatusCode> {
    let (user, room) = chat.enter(&parts)?;
    if user.name != MODERATOR || name == MODERATOR {
        return Err(StatusCode::FORBIDDEN);
    }
    let entry = (room.to_owned(), name.clone());
    chat.kicked.lock().expect(UNHARMED).insert(entry);
    // The user's browser reconnects all of its streams. Other rooms resume; this one answers 403, and
    // the browser stops.
    chat.hub.owner(&name).end();
    Ok(())
}
