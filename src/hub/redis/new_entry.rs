use std::sync::Arc;

use crate::protocol::Event;

/// An entry to append to the stream.
#[derive(Debug)]
pub(super) struct NewEntry {
    pub(super) topic: String,
    /// `None` if it finishes the topic without a last event.
    pub(super) event: Option<Event>,
    /// The key whose previous event it replaces.
    pub(super) key: Option<Arc<str>>,
    /// Whether it finishes the topic.
    pub(super) last: bool,
}

impl NewEntry {
    pub(super) fn new(topic: &str, event: impl Into<Option<Event>>) -> Self {
        Self {
            topic: topic.to_owned(),
            event: event.into(),
            key: None,
            last: false,
        }
    }

    pub(super) fn with_key(self, key: Arc<str>) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }

    pub(super) fn last(self) -> Self {
        Self { last: true, ..self }
    }
}
