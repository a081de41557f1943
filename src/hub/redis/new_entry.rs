use std::sync::Arc;

use crate::protocol::Event;

/// What is to be appended to the stream.
#[derive(Debug)]
pub(super) struct NewEntry {
    pub(super) topic: String,
    /// None where a topic ends without a farewell.
    pub(super) event: Option<Event>,
    /// Which earlier event of the topic it replaces.
    pub(super) key: Option<Arc<str>>,
    /// The topic is finished with it.
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
