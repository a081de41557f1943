use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::invalid_tail::InvalidTail;
use super::wire;
use crate::protocol::{Block, EventId};

/// A retained event in a [`Tail`](super::Tail).
///
/// ```
/// use tower_sse::hub::TailEvent;
///
/// let event = TailEvent::new(7, "chat", "id: 10-7\ndata: hello\n\n")?;
/// assert_eq!((event.number(), event.topic()), (7, "chat"));
/// assert_eq!(event.wire(), "id: 10-7\ndata: hello\n\n");
/// # Ok::<(), tower_sse::hub::InvalidTail>(())
/// ```
#[derive(Clone)]
pub struct TailEvent {
    number: u64,
    topic: Arc<str>,
    key: Option<Arc<str>>,
    block: Block,
    published: Option<SystemTime>,
    last: bool,
}

impl TailEvent {
    /// Restores a stored event from its number, its topic, and its [bytes](Self::wire).
    ///
    /// # Errors
    ///
    /// If the bytes are not exactly one event with an ID, as a hub writes it.
    ///
    /// ```
    /// # use tower_sse::hub::TailEvent;
    /// assert!(TailEvent::new(7, "", "id: 10-7\ndata: x\n\n").is_ok());
    /// assert!(TailEvent::new(7, "", "id: 10-7\ndata: x\n\ndata: forged\n\n").is_err());
    /// ```
    pub fn new(
        number: u64,
        topic: impl Into<Arc<str>>,
        wire: impl AsRef<[u8]>,
    ) -> Result<Self, InvalidTail> {
        let bytes = wire.as_ref();
        if let Err(flaw) = wire::check(bytes) {
            return Err(InvalidTail::new(number, flaw));
        }
        // Copied to its exact size, since retained bytes are counted.
        let block = Block::from_shared(Bytes::copy_from_slice(bytes));
        Ok(Self::retained(number, topic.into(), None, block, None))
    }

    /// Sets the key under which it was [published](crate::hub::Topic::publish_latest).
    ///
    /// ```
    /// # use tower_sse::hub::TailEvent;
    /// let event = TailEvent::new(7, "price", "id: 10-7\ndata: 12\n\n")?.with_key("EUR");
    /// assert_eq!(event.key(), Some("EUR"));
    /// # Ok::<(), tower_sse::hub::InvalidTail>(())
    /// ```
    #[must_use]
    pub fn with_key(self, key: impl Into<Arc<str>>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    /// Sets the time when it was published, so that it expires at its age. A time in the future
    /// counts as now.
    ///
    /// ```
    /// # use tower_sse::hub::TailEvent;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000);
    /// let event = TailEvent::new(7, "", "id: 10-7\ndata: x\n\n")?.with_published(time);
    /// assert_eq!(event.published(), Some(time));
    /// # Ok::<(), tower_sse::hub::InvalidTail>(())
    /// ```
    #[must_use]
    pub fn with_published(self, time: SystemTime) -> Self {
        Self {
            published: Some(time),
            ..self
        }
    }

    /// Sets whether it [finishes](crate::hub::Topic::finish) its topic.
    ///
    /// ```
    /// # use tower_sse::hub::TailEvent;
    /// let event = TailEvent::new(7, "run/7", "id: 10-7\ndata: [DONE]\n\n")?.with_last(true);
    /// assert!(event.is_last());
    /// # Ok::<(), tower_sse::hub::InvalidTail>(())
    /// ```
    #[must_use]
    pub fn with_last(self, last: bool) -> Self {
        Self { last, ..self }
    }

    /// Returns its number, which is counted across all topics.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.publish(Event::new("x"));
    /// assert_eq!(hub.tail().events()[0].number(), 1);
    /// ```
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the topic it was published to.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.topic("chat").publish(Event::new("x"));
    /// assert_eq!(hub.tail().events()[0].topic(), "chat");
    /// ```
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the key that it is the latest event of, if any.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.topic("price").publish_latest("EUR", Event::new("12"));
    /// assert_eq!(hub.tail().events()[0].key(), Some("EUR"));
    /// ```
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the time when it was published, if its topic's events
    /// [expire](crate::hub::HubBuilder::retain_for).
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let hub = Hub::builder().retain_for(Duration::from_secs(60)).build();
    /// hub.publish(Event::new("x"));
    /// let published = hub.tail().events()[0].published().unwrap();
    /// assert!(published <= SystemTime::now());
    /// ```
    #[must_use]
    pub fn published(&self) -> Option<SystemTime> {
        self.published
    }

    /// Returns `true` if it [finishes](crate::hub::Topic::finish) its topic.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.topic("run/7").finish(Event::new("[DONE]"));
    /// assert!(hub.tail().events()[0].is_last());
    /// ```
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.last
    }

    /// Returns its bytes as they are sent, which are UTF-8. This copies a payload that is stored
    /// separately.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::builder().epoch(36).build();
    /// hub.publish(Event::new("goal"));
    /// assert_eq!(hub.tail().events()[0].wire(), "id: 10-1\ndata: goal\n\n");
    /// ```
    #[must_use]
    pub fn wire(&self) -> Bytes {
        self.block.clone().into_bytes()
    }
}

impl TailEvent {
    /// An event that a hub retains.
    pub(in crate::hub) fn retained(
        number: u64,
        topic: Arc<str>,
        key: Option<Arc<str>>,
        block: Block,
        published: Option<SystemTime>,
    ) -> Self {
        Self {
            number,
            topic,
            key,
            block,
            published,
            last: false,
        }
    }

    pub(super) fn key_shared(&self) -> Option<Arc<str>> {
        self.key.clone()
    }

    pub(super) fn block(&self) -> Block {
        self.block.clone()
    }

    /// Its ID. It was checked when the event was encoded or restored, and is UTF-8.
    pub(super) fn id(&self) -> Option<EventId> {
        let head = self.block.parts().0;
        let id = &head[wire::find(head)?];
        EventId::try_from(std::str::from_utf8(id).ok()?).ok()
    }

    /// Its block with another ID.
    pub(super) fn block_as(&self, id: &EventId) -> Block {
        let wire = self.wire();
        let Some(at) = wire::find(&wire) else {
            return self.block.clone();
        };
        let parts = [&wire[..at.start], id.as_bytes(), &wire[at.end..]];
        Block::from_shared(Bytes::from(parts.concat()))
    }
}

impl fmt::Debug for TailEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailEvent")
            .field("number", &self.number)
            .field("topic", &self.topic)
            .field("key", &self.key)
            .field("block", &self.block)
            .field("published", &self.published)
            .finish()
    }
}
