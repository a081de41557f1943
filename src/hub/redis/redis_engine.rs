use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::context::Context;
use super::error::RedisError;
use super::machine::Depth;
use super::new_entry::NewEntry;
use super::page_reader::read_pages;
use super::publish_error::PublishError;
use super::publisher::Publisher;
use super::reader::StreamReader;
use super::settings::RedisSettings;
use super::status::RedisStatus;
use super::transients;
use crate::hub::LagPolicy;
use crate::hub::core::{Rules, State};
use crate::hub::epoch::Epoch;
use crate::hub::hub_settings::HubSettings;
use crate::hub::shared::Shared;
use crate::protocol::{Event, EventId};
use crate::sync::Arc as HubArc;

/// Reads and writes the stream. Dropping it ends its tasks.
pub(super) struct RedisEngine {
    context: Arc<Context>,
    publisher: Publisher,
    tasks: [AbortHandle; 3],
}

impl RedisEngine {
    /// Begins to read. Returns the state that the hub shares with its subscriptions.
    pub(super) fn start(
        settings: RedisSettings,
        rules: Rules,
        mut hub: HubSettings,
    ) -> Result<(Self, HubArc<Shared>), RedisError> {
        let runtime = Handle::try_current().map_err(|_| RedisError::no_runtime())?;
        let (events, bytes) = rules.bounds();
        let context = Arc::new(Context::new(settings, Depth { events, bytes }));
        hub.foreign = true;
        hub.past = Some(Arc::new(Arc::clone(&context.pages)));
        // A client that lags reconnects and is served from Redis.
        let state = State::new(rules, LagPolicy::End);
        let epoch = Epoch::new(Epoch::random_number());
        let shared = HubArc::new(Shared::new(state, epoch, hub));
        let weak = || HubArc::downgrade(&shared);
        let reader = StreamReader::new(Arc::clone(&context), weak());
        let pages = read_pages(Arc::clone(&context));
        let transients = transients::receive(Arc::clone(&context), weak());
        let tasks = [
            runtime.spawn(reader.run()).abort_handle(),
            runtime.spawn(pages).abort_handle(),
            runtime.spawn(transients).abort_handle(),
        ];
        let publisher = Publisher::new(Arc::clone(&context));
        let engine = Self {
            context,
            publisher,
            tasks,
        };
        Ok((engine, shared))
    }

    /// Appends an entry.
    pub(super) async fn append(&self, entry: NewEntry) -> Result<EventId, PublishError> {
        self.publisher.append(&entry).await
    }

    /// Appends an entry unless one of this name has been appended recently. Returns the ID of the
    /// entry with this name.
    pub(super) async fn append_once(
        &self,
        name: String,
        entry: NewEntry,
    ) -> Result<EventId, PublishError> {
        self.publisher.append_once(&name, &entry).await
    }

    /// Sends an event to the present subscribers.
    pub(super) async fn send(&self, topic: String, event: Event) -> Result<(), PublishError> {
        self.publisher.publish(&NewEntry::new(&topic, event)).await
    }

    pub(super) fn status(&self) -> RedisStatus {
        RedisStatus {
            page_hits: self.context.pages.hits(),
            ..self.context.counts.status()
        }
    }
}

impl Drop for RedisEngine {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for RedisEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisEngine")
            .field("settings", &self.context.settings)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
