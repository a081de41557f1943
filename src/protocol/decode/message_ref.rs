use std::fmt;
use std::str;

use super::message::CHECKED;

/// A dispatched event, lent by the decoder until it decodes on: no copy, no allocation.
///
/// ```
/// use tower_sse::Decoder;
///
/// let mut decoder = Decoder::new();
/// let mut chunk: &[u8] = b"event: goal\nid: 42\ndata: 1 : 0\n\n";
/// while let Some(event) = decoder.decode_ref(&mut chunk)? {
///     assert_eq!((event.event_type(), event.data()), ("goal", "1 : 0"));
///     assert_eq!(event.last_event_id(), "42");
/// }
/// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
/// ```
#[derive(Clone, Copy)]
pub struct MessageRef<'a> {
    pub(super) event_type: &'a [u8],
    pub(super) data: &'a [u8],
    pub(super) last_event_id: &'a [u8],
}

impl<'a> MessageRef<'a> {
    /// The type; `message` if the server named none.
    ///
    /// # Panics
    ///
    /// Never; see [`MessageEvent::data`](super::MessageEvent::data).
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.event_type(), "goal");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn event_type(&self) -> &'a str {
        str::from_utf8(self.event_type).expect(CHECKED)
    }

    /// The type as UTF-8 bytes, without the check that text costs.
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.event_type_bytes(), b"goal");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn event_type_bytes(&self) -> &'a [u8] {
        self.event_type
    }

    /// The data; see [`MessageEvent::data`](super::MessageEvent::data).
    ///
    /// # Panics
    ///
    /// Never; see [`MessageEvent::data`](super::MessageEvent::data).
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.data(), "1\n0");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn data(&self) -> &'a str {
        str::from_utf8(self.data).expect(CHECKED)
    }

    /// The data as UTF-8 bytes, without the check that text costs.
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.data_bytes(), b"1\n0");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn data_bytes(&self) -> &'a [u8] {
        self.data
    }

    /// The last event ID when the event was dispatched.
    ///
    /// # Panics
    ///
    /// Never; see [`MessageEvent::data`](super::MessageEvent::data).
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.last_event_id(), "42");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn last_event_id(&self) -> &'a str {
        str::from_utf8(self.last_event_id).expect(CHECKED)
    }

    /// The last event ID as UTF-8 bytes, without the check that text costs.
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.last_event_id_bytes(), b"42");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn last_event_id_bytes(&self) -> &'a [u8] {
        self.last_event_id
    }
}

impl fmt::Debug for MessageRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRef")
            .field("event_type", &self.event_type())
            .field("data", &self.data())
            .field("last_event_id", &self.last_event_id())
            .finish()
    }
}
