use super::error::RedisError;
use super::new_entry::NewEntry;
use super::publish_error::PublishError;
use super::settings::RedisSettings;
use super::status::RedisStatus;
use crate::hub::LagPolicy;
use crate::hub::core::{Rules, State};
use crate::hub::epoch::Epoch;
use crate::hub::shared::{HubSettings, Shared};
use crate::protocol::{Event, EventId};
use crate::sync::Arc;

/// What reads and writes the stream.
#[derive(Debug)]
pub(super) struct RedisEngine {
    settings: RedisSettings,
}

const NOT_YET: &str = "the engine is yet to come";

impl RedisEngine {
    /// Begins to read, and gives what the hub shares with its subscriptions.
    pub(super) fn start(
        settings: RedisSettings,
        rules: Rules,
        mut hub: HubSettings,
    ) -> Result<(Self, Arc<Shared>), RedisError> {
        tokio::runtime::Handle::try_current().map_err(|_| RedisError::no_runtime())?;
        hub.foreign = true;
        // Who lags is served from Redis.
        let state = State::new(rules, LagPolicy::End);
        let epoch = Epoch::new(Epoch::random_number());
        let shared = Arc::new(Shared::new(state, epoch, hub));
        Ok((Self { settings }, shared))
    }

    /// Appends an entry.
    pub(super) async fn append(&self, entry: NewEntry) -> Result<EventId, PublishError> {
        _ = (&self.settings, entry);
        Err(PublishError::not_stored(NOT_YET))
    }

    /// Appends an entry, unless one of this name was appended not long ago; gives the ID of the one
    /// that is there.
    pub(super) async fn append_once(
        &self,
        name: String,
        entry: NewEntry,
    ) -> Result<EventId, PublishError> {
        _ = (name, entry);
        Err(PublishError::not_stored(NOT_YET))
    }

    /// Sends an event to those who listen now.
    pub(super) async fn send(&self, topic: String, event: Event) -> Result<(), PublishError> {
        _ = (topic, event);
        Err(PublishError::not_stored(NOT_YET))
    }

    pub(super) fn status(&self) -> RedisStatus {
        RedisStatus::default()
    }
}
