mod built;
mod dispatched;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

#[cfg(feature = "json")]
use crate::protocol::value::JsonError;
use crate::protocol::value::{EventId, EventType};

pub(super) const MESSAGE: &str = "message";

/// A dispatched event, with the fields of a page's `MessageEvent` ([9.2.6]).
///
/// If possible, the data is a slice of the chunk it arrived in, and keeps that chunk in memory. If
/// you keep a few of many events for long, copy their data.
///
/// ```
/// use bytes::Bytes;
/// use tower_sse::Decoder;
///
/// let mut chunk = Bytes::from("event: goal\nid: 42\ndata: 1 : 0\n\n");
/// let event = Decoder::new().decode(&mut chunk)?.unwrap();
/// assert_eq!(event.event_type(), "goal");
/// assert_eq!(event.data(), "1 : 0");
/// assert_eq!(event.last_event_id(), "42");
/// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
/// ```
///
/// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[derive(Clone)]
pub struct MessageEvent {
    /// The bytes that contain the type and the data; usually the chunk.
    block: ByteString,
    data: Range<usize>,
    /// Empty if the server set none.
    event_type: Range<usize>,
    /// The position of the block's own ID, if it has one within the block.
    id: Option<Range<usize>>,
    beside: Option<Arc<Beside>>,
}

/// Fields that are not in the block: an earlier or repaired ID, and rarely used fields.
//
// Not an `EventId` in the event: moving inline text right after it was written costs more than
// everything else.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    /// The last event ID, unless it is in the event's block.
    last_event_id: Box<str>,
    /// Whether the last event ID is the event's own.
    own: bool,
    /// In milliseconds.
    retry: Option<u64>,
}

impl Beside {
    /// The part that events without an ID of their own share.
    pub(super) fn earlier_id(id: &str) -> Self {
        Self {
            last_event_id: Box::from(id),
            ..Self::default()
        }
    }
}

impl MessageEvent {
    /// Returns the type; `message` if the server set none.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # let mut chunk = Bytes::from("event: goal\nid: 42\ndata: 1\ndata: 0\n\n");
    /// # let event = tower_sse::Decoder::new().decode(&mut chunk)?.unwrap();
    /// assert_eq!(event.event_type(), "goal");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn event_type(&self) -> &str {
        message_if_empty(&self.block[self.event_type.clone()])
    }

    /// Returns the type as UTF-8 bytes.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # let mut chunk = Bytes::from("event: goal\nid: 42\ndata: 1\ndata: 0\n\n");
    /// # let event = tower_sse::Decoder::new().decode(&mut chunk)?.unwrap();
    /// assert_eq!(event.event_type_bytes(), b"goal");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn event_type_bytes(&self) -> &[u8] {
        self.event_type().as_bytes()
    }

    /// Returns the data: the values of all `data` fields, joined by LFs.
    ///
    /// Invalid UTF-8 was replaced when the event was dispatched.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # let mut chunk = Bytes::from("event: goal\nid: 42\ndata: 1\ndata: 0\n\n");
    /// # let event = tower_sse::Decoder::new().decode(&mut chunk)?.unwrap();
    /// assert_eq!(event.data(), "1\n0");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn data(&self) -> &str {
        &self.block[self.data.clone()]
    }

    /// Returns the data as UTF-8 bytes.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # let mut chunk = Bytes::from("event: goal\nid: 42\ndata: 1\ndata: 0\n\n");
    /// # let event = tower_sse::Decoder::new().decode(&mut chunk)?.unwrap();
    /// assert_eq!(event.data_bytes(), b"1\n0");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn data_bytes(&self) -> &[u8] {
        self.data().as_bytes()
    }

    /// Deserializes the data from JSON; requires the feature `json`.
    ///
    /// Values that can be borrowed, such as a `&str` without escapes, are borrowed from the event.
    ///
    /// # Errors
    ///
    /// If the data is not JSON, or not of this type.
    ///
    /// ```
    /// use tower_sse::MessageEvent;
    ///
    /// let event = MessageEvent::new(r#"[2, "home"]"#);
    /// let goal: (u32, &str) = event.json()?;
    /// assert_eq!(goal, (2, "home"));
    /// assert!(event.json::<u32>().is_err());
    /// # Ok::<(), tower_sse::JsonError>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn json<'de, T: serde::Deserialize<'de>>(&'de self) -> Result<T, JsonError> {
        serde_json::from_str(self.data()).map_err(JsonError::reading)
    }

    /// Returns the ID of this event's own block; `None` if it had none, and the [last event
    /// ID](Self::last_event_id) is that of an earlier event.
    ///
    /// An `id` field without a value is an ID too: the empty ID, which resets the last event ID. A
    /// field that [is ignored](super::Decoder#differences-from-the-standard) does not count.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// let mut chunk = Bytes::from("id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n");
    /// assert_eq!(decoder.decode(&mut chunk)?.unwrap().id(), Some("7"));
    /// let second = decoder.decode(&mut chunk)?.unwrap();
    /// assert_eq!((second.id(), second.last_event_id()), (None, "7"));
    /// assert_eq!(decoder.decode(&mut chunk)?.unwrap().id(), Some(""));
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.has_id().then(|| self.last_event_id())
    }

    /// Returns the reconnection time that this event's own block set, if any.
    ///
    /// [`Decoder::reconnection_time`](super::Decoder::reconnection_time) returns the one in effect.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// let mut chunk = Bytes::from("retry: 500\ndata: a\n\ndata: b\n\n");
    /// assert_eq!(decoder.decode(&mut chunk)?.unwrap().retry().unwrap().as_millis(), 500);
    /// assert_eq!(decoder.decode(&mut chunk)?.unwrap().retry(), None);
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        let retry = self.beside.as_ref()?.retry;
        retry.map(Duration::from_millis)
    }

    /// Returns the last event ID when the event was dispatched: [this event's](Self::id), or that
    /// of the latest earlier event that had one.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # let mut chunk = Bytes::from("event: goal\nid: 42\ndata: 1\ndata: 0\n\n");
    /// # let event = tower_sse::Decoder::new().decode(&mut chunk)?.unwrap();
    /// assert_eq!(event.last_event_id(), "42");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        match (&self.id, &self.beside) {
            (Some(at), _) => &self.block[at.clone()],
            (None, Some(beside)) => &beside.last_event_id,
            (None, None) => "",
        }
    }

    /// Returns the last event ID as UTF-8 bytes.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # let mut chunk = Bytes::from("event: goal\nid: 42\ndata: 1\ndata: 0\n\n");
    /// # let event = tower_sse::Decoder::new().decode(&mut chunk)?.unwrap();
    /// assert_eq!(event.last_event_id_bytes(), b"42");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn last_event_id_bytes(&self) -> &[u8] {
        self.last_event_id().as_bytes()
    }

    /// Splits the event into its type, data and last event ID, without copying the data.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # let mut chunk = Bytes::from("data: x\n\n");
    /// # let event = tower_sse::Decoder::new().decode(&mut chunk)?.unwrap();
    /// let (event_type, data, id) = event.into_parts();
    /// assert_eq!((event_type.as_str(), &data[..], id.as_str()), ("message", &b"x"[..], ""));
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn into_parts(self) -> (EventType, Bytes, EventId) {
        let event_type = match self.event_type() {
            MESSAGE => EventType::MESSAGE,
            event_type => EventType::copy_checked(event_type.as_bytes()),
        };
        let id = EventId::copy_checked(self.last_event_id_bytes());
        (event_type, self.block.as_bytes().slice(self.data), id)
    }
}

// For the bridge to `encode`.
impl MessageEvent {
    /// The data, and the block's own fields: type, ID, reconnection time.
    pub(in crate::protocol) fn into_own_parts(
        self,
    ) -> (Bytes, Option<EventType>, Option<EventId>, Option<Duration>) {
        let event_type = &self.block[self.event_type.clone()];
        let event_type =
            (!event_type.is_empty()).then(|| EventType::copy_checked(event_type.as_bytes()));
        let id = self
            .has_id()
            .then(|| EventId::copy_checked(self.last_event_id_bytes()));
        let retry = self.retry();
        (
            self.block.as_bytes().slice(self.data),
            event_type,
            id,
            retry,
        )
    }

    fn has_id(&self) -> bool {
        self.id.is_some() || self.beside.as_ref().is_some_and(|beside| beside.own)
    }
}

impl PartialEq for MessageEvent {
    fn eq(&self, other: &Self) -> bool {
        self.data_bytes() == other.data_bytes()
            && self.event_type_bytes() == other.event_type_bytes()
            && self.last_event_id_bytes() == other.last_event_id_bytes()
            && self.has_id() == other.has_id()
            && self.retry() == other.retry()
    }
}

impl Eq for MessageEvent {}

impl fmt::Debug for MessageEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageEvent")
            .field("event_type", &self.event_type())
            .field("data", &self.data())
            .field("last_event_id", &self.last_event_id())
            .field("id", &self.id())
            .field("retry", &self.retry())
            .finish()
    }
}

/// [9.2.6]: "If the event type buffer has a value other than the empty string".
///
/// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[inline]
pub(super) fn message_if_empty(event_type: &str) -> &str {
    if event_type.is_empty() {
        MESSAGE
    } else {
        event_type
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_no_larger_than_it_was() {
        // These bytes are moved with each event. Rare fields are kept elsewhere.
        assert_eq!(size_of::<MessageEvent>(), 12 * size_of::<usize>());
    }
}
