//! Who is in each room, published whenever a user enters or leaves.

use std::collections::{BTreeMap, HashMap};

use futures_util::StreamExt;
use serde_json::json;
use tower_sse::Event;
use tower_sse::hub::Watch;

use crate::rooms::Chat;

/// Each change is told to the whole room, so newcomers also learn who is there.
pub(crate) async fn publish(chat: Chat, mut watch: Watch) {
    let mut rooms = HashMap::<String, BTreeMap<String, usize>>::new();
    while let Some(change) = watch.next().await {
        let Ok(change) = change else {
            // This task lagged by thousands of changes, and some were dropped. Start counting again.
            rooms.clear();
            continue;
        };
        let room = change.topic().strip_prefix("room/");
        let (Some(room), Some(name)) = (room, change.owner()) else {
            continue;
        };
        if change.is_arrival() && chat.is_kicked(room, name) {
            // The kick came between `select` and the subscription.
            chat.hub.owner(name).end();
        }
        // A user may have several tabs open.
        let users = rooms.entry(room.to_owned()).or_default();
        let tabs = users.entry(name.to_owned()).or_default();
        *tabs = match change.is_arrival() {
            true => *tabs + 1,
            false => tabs.saturating_sub(1),
        };
        users.retain(|_, tabs| *tabs > 0);
        let here = json!(users.keys().collect::<Vec<_>>()).to_string();
        let presence = Event::new(here).with_type("presence");
        // Only the latest matters, so it is not retained.
        chat.hub.topic(change.topic()).publish_transient(presence);
    }
}
