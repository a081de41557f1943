use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::last_id::LastId;
use super::message::message_if_empty;
use super::pending::Pending;
use super::scan::Detour;
use super::text::BlockText;
use super::whole_block::Parts;
#[cfg(feature = "json")]
use crate::protocol::value::JsonError;

/// A dispatched event, borrowed from the decoder until its next call, without a copy or an
/// allocation.
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
    event_type: &'a str,
    data: &'a str,
    last_event_id: &'a str,
    /// Whether the last event ID is the block's own.
    has_id: bool,
    retry: Option<u64>,
}

impl<'a> MessageRef<'a> {
    /// Returns the type; `message` if the server set none.
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.event_type(), "goal");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn event_type(&self) -> &'a str {
        self.event_type
    }

    /// Returns the type as UTF-8 bytes.
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.event_type_bytes(), b"goal");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn event_type_bytes(&self) -> &'a [u8] {
        self.event_type.as_bytes()
    }

    /// Returns the data; see [`MessageEvent::data`](super::MessageEvent::data).
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.data(), "1\n0");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn data(&self) -> &'a str {
        self.data
    }

    /// Returns the data as UTF-8 bytes.
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.data_bytes(), b"1\n0");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn data_bytes(&self) -> &'a [u8] {
        self.data.as_bytes()
    }

    /// Deserializes the data from JSON; see [`MessageEvent::json`](super::MessageEvent::json).
    ///
    /// # Errors
    ///
    /// If the data is not JSON, or not of this type.
    ///
    /// ```
    /// let mut decoder = tower_sse::Decoder::new();
    /// let event = decoder.decode_ref(&mut &b"data: [2, \"home\"]\n\n"[..])?.unwrap();
    /// let goal: (u32, &str) = event.json()?;
    /// assert_eq!(goal, (2, "home"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn json<T: serde::Deserialize<'a>>(&self) -> Result<T, JsonError> {
        serde_json::from_str(self.data).map_err(JsonError::reading)
    }

    /// Returns the ID of this event's own block; see [`MessageEvent::id`](super::MessageEvent::id).
    ///
    /// ```
    /// let mut decoder = tower_sse::Decoder::new().resume_after(7u64);
    /// let event = decoder.decode_ref(&mut &b"data: x\n\n"[..])?.unwrap();
    /// assert_eq!((event.id(), event.last_event_id()), (None, "7"));
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.has_id.then(|| self.last_event_id())
    }

    /// Returns the reconnection time that this event's own block set; see
    /// [`MessageEvent::retry`](super::MessageEvent::retry).
    ///
    /// ```
    /// let mut decoder = tower_sse::Decoder::new();
    /// let event = decoder.decode_ref(&mut &b"retry: 500\ndata: x\n\n"[..])?.unwrap();
    /// assert_eq!(event.retry().unwrap().as_millis(), 500);
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry.map(Duration::from_millis)
    }

    /// Returns the last event ID when the event was dispatched; see
    /// [`MessageEvent::last_event_id`](super::MessageEvent::last_event_id).
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.last_event_id(), "42");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn last_event_id(&self) -> &'a str {
        self.last_event_id
    }

    /// Returns the last event ID as UTF-8 bytes.
    ///
    /// ```
    /// # let mut decoder = tower_sse::Decoder::new();
    /// # let event = decoder.decode_ref(&mut &b"event: goal\nid: 42\ndata: 1\ndata: 0\n\n"[..])?.unwrap();
    /// assert_eq!(event.last_event_id_bytes(), b"42");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn last_event_id_bytes(&self) -> &'a [u8] {
        self.last_event_id.as_bytes()
    }
}

impl<'a> MessageRef<'a> {
    /// Borrows the event that was just dispatched.
    #[inline(always)]
    pub(super) fn lend(
        chunk: &'a [u8],
        parts: &Parts,
        pending: &'a mut Pending,
        last_id: &'a mut LastId,
        detour: &mut Detour,
    ) -> Self {
        let block = BlockText::check(chunk, parts.from..parts.end);
        let Some((block, data)) = block.zip(parts.data.as_ref()) else {
            return Self::lend_pending(chunk, parts, block, pending, last_id, detour);
        };
        if pending.has_more_lines() {
            return Self::lend_lines(block, parts, data, pending, last_id, detour);
        }
        let event_type = match &parts.event_type {
            Some(event_type) => block.get(event_type),
            None => pending.texts(false, detour).1,
        };
        Self::of_block(block, parts, data, event_type, last_id)
    }

    /// Borrows the event of a [whole block](Parts::whole), of which nothing is pending.
    #[inline(always)]
    pub(super) fn lend_whole(
        chunk: &'a [u8],
        parts: &Parts,
        pending: &'a mut Pending,
        last_id: &'a mut LastId,
        detour: &mut Detour,
    ) -> Self {
        let block = BlockText::check(chunk, parts.from..parts.end);
        let (Some(block), Some(data)) = (block, &parts.data) else {
            pending.clear_for_whole();
            return Self::lend_pending(chunk, &parts.clone(), block, pending, last_id, detour);
        };
        let event_type = match &parts.event_type {
            Some(event_type) => block.get(event_type),
            None => "",
        };
        Self::of_block(block, parts, data, event_type, last_id)
    }

    /// Like [`lend`](Self::lend), if the chunk has several lines of data.
    #[inline(never)]
    fn lend_lines(
        block: BlockText<'a>,
        parts: &Parts,
        data: &Range<usize>,
        pending: &'a mut Pending,
        last_id: &'a mut LastId,
        detour: &mut Detour,
    ) -> Self {
        pending.join_lines(block, data);
        if pending.is_large() {
            *detour = Detour::Release;
        }
        if let Some(id) = &parts.id {
            last_id.set(block.get(id));
        }
        let (data, pending_type) = pending.texts(true, detour);
        let event_type = match &parts.event_type {
            Some(event_type) => block.get(event_type),
            None => pending_type,
        };
        Self::of_texts(event_type, data, parts, last_id)
    }

    #[inline]
    fn of_texts(event_type: &'a str, data: &'a str, parts: &Parts, last_id: &'a LastId) -> Self {
        Self {
            event_type: message_if_empty(event_type),
            data,
            last_event_id: last_id.as_str(),
            has_id: parts.has_id,
            retry: parts.retry,
        }
    }

    #[inline(always)]
    fn of_block(
        block: BlockText<'a>,
        parts: &Parts,
        data: &Range<usize>,
        event_type: &'a str,
        last_id: &'a mut LastId,
    ) -> Self {
        if let Some(id) = &parts.id {
            last_id.set(block.get(id));
        }
        Self {
            event_type: message_if_empty(event_type),
            data: block.get(data),
            last_event_id: last_id.as_str(),
            has_id: parts.has_id,
            retry: parts.retry,
        }
    }

    /// Like [`lend`](Self::lend), if the data is pending, or its part in the chunk is not UTF-8.
    #[inline(never)]
    fn lend_pending(
        chunk: &'a [u8],
        parts: &Parts,
        block: Option<BlockText<'a>>,
        pending: &'a mut Pending,
        last_id: &'a mut LastId,
        detour: &mut Detour,
    ) -> Self {
        if block.is_none() {
            *detour = Detour::Release;
        }
        if let Some(id) = &parts.id {
            last_id.set_repaired(&chunk[id.clone()]);
        }
        let event_type = parts.event_type.as_ref();
        if let Some(data) = &parts.data {
            pending.push_data_lines(chunk, data.clone());
        }
        if let (Some(event_type), None) = (event_type, block) {
            pending.set_event_type(&chunk[event_type.clone()]);
        }
        pending.clear_block();
        let (data, pending_type) = pending.texts(true, detour);
        let event_type = match (event_type, block) {
            (Some(event_type), Some(block)) => block.get(event_type),
            _ => pending_type,
        };
        Self::of_texts(event_type, data, parts, last_id)
    }
}

impl fmt::Debug for MessageRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRef")
            .field("event_type", &self.event_type())
            .field("data", &self.data())
            .field("last_event_id", &self.last_event_id())
            .field("id", &self.id())
            .field("retry", &self.retry())
            .finish()
    }
}
