use std::fmt;
use std::ops::Range;
use std::str;
use std::sync::Arc;

use bytes::Bytes;

use crate::protocol::value::{EventId, EventType};

const MESSAGE: &[u8] = b"message";
pub(super) const CHECKED: &str = "the decoder dispatches nothing but UTF-8";

/// An event as it was dispatched: what a page finds in its `MessageEvent` ([9.2.6]).
///
/// The data is a slice of the chunk it came in where it could be, and then keeps that chunk in
/// memory; copy it if few of many events are to be kept for long.
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
    /// What type and data are in; as a rule the chunk.
    pub(super) block: Bytes,
    pub(super) data: Range<usize>,
    /// Empty if the server named none.
    pub(super) event_type: Range<usize>,
    pub(super) id: Range<usize>,
    /// The last event ID from before, if the block has none.
    //
    // Not an `EventId`: moving text that is kept in place, right after it was written there, costs
    // more than all the rest.
    pub(super) kept_id: Option<Arc<[u8]>>,
}

impl MessageEvent {
    /// The type; `message` if the server named none.
    ///
    /// # Panics
    ///
    /// Never; see [`data`](Self::data).
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
        str::from_utf8(self.event_type_bytes()).expect(CHECKED)
    }

    /// The type as UTF-8 bytes, without the check that text costs.
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
        message_if_empty(&self.block[self.event_type.clone()])
    }

    /// The data: the values of all `data` fields, with an LF between each two.
    ///
    /// Checks the bytes each time, as it has them as [`Bytes`]; a deserialiser that takes bytes is
    /// better served by [`data_bytes`](Self::data_bytes).
    ///
    /// # Panics
    ///
    /// Never: what was not UTF-8 has been repaired when the event was dispatched.
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
        str::from_utf8(self.data_bytes()).expect(CHECKED)
    }

    /// The data as UTF-8 bytes, without the check that text costs.
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
        &self.block[self.data.clone()]
    }

    /// The last event ID when the event was dispatched: this event's, or that of the latest one
    /// before it that had one.
    ///
    /// # Panics
    ///
    /// Never; see [`data`](Self::data).
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
        str::from_utf8(self.last_event_id_bytes()).expect(CHECKED)
    }

    /// The last event ID as UTF-8 bytes, without the check that text costs.
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
        match &self.kept_id {
            Some(id) => id,
            None => &self.block[self.id.clone()],
        }
    }

    /// Type, data and last event ID, each on its own; the data are not copied.
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
        let event_type = match self.event_type_bytes() {
            MESSAGE => EventType::MESSAGE,
            event_type => EventType::copy_checked(event_type),
        };
        let id = EventId::copy_checked(self.last_event_id_bytes());
        (event_type, self.block.slice(self.data), id)
    }
}

impl PartialEq for MessageEvent {
    fn eq(&self, other: &Self) -> bool {
        self.data_bytes() == other.data_bytes()
            && self.event_type_bytes() == other.event_type_bytes()
            && self.last_event_id_bytes() == other.last_event_id_bytes()
    }
}

impl Eq for MessageEvent {}

impl fmt::Debug for MessageEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageEvent")
            .field("event_type", &self.event_type())
            .field("data", &self.data())
            .field("last_event_id", &self.last_event_id())
            .finish()
    }
}

/// [9.2.6]: "If the event type buffer has a value other than the empty string".
///
/// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[inline]
pub(super) fn message_if_empty(event_type: &[u8]) -> &[u8] {
    if event_type.is_empty() {
        MESSAGE
    } else {
        event_type
    }
}
