//! Events that were not received, for tests of code that handles events.

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;

use super::{Beside, MessageEvent};
use crate::protocol::value::{EventId, EventType};

impl MessageEvent {
    /// Creates an event as if it had been received, for tests of code that handles events: with
    /// this data, of type `message`, and without an ID.
    ///
    /// Each CR and CRLF in the data becomes an LF, because received data never contains a CR.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use tower_sse::{Decoder, EventType, MessageEvent};
    ///
    /// let mut chunk = Bytes::from("event: goal\nid: 42\ndata: 1\ndata: 0\n\n");
    /// let received = Decoder::new().decode(&mut chunk)?.unwrap();
    /// let built = MessageEvent::new("1\r\n0")
    ///     .with_type(EventType::from_static("goal"))
    ///     .with_id(42u64);
    /// assert_eq!(received, built);
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn new(data: impl Into<String>) -> Self {
        let mut data = data.into();
        if data.contains('\r') {
            data = data.replace("\r\n", "\n").replace('\r', "\n");
        }
        Self {
            data: 0..data.len(),
            block: ByteString::from(data),
            event_type: 0..0,
            id: None,
            beside: None,
        }
    }

    /// Sets the type; `message` if it is empty.
    ///
    /// ```
    /// use tower_sse::{EventType, MessageEvent};
    ///
    /// let event = MessageEvent::new("x").with_type(EventType::from_static("goal"));
    /// assert_eq!(event.event_type(), "goal");
    /// ```
    #[must_use]
    pub fn with_type(mut self, event_type: impl Into<EventType>) -> Self {
        let event_type = event_type.into();
        let mut block = self.block.to_string();
        self.event_type = block.len()..block.len() + event_type.as_str().len();
        block.push_str(event_type.as_str());
        self.block = ByteString::from(block);
        self
    }

    /// Sets the event's own ID, which is then the last event ID too.
    ///
    /// ```
    /// use tower_sse::MessageEvent;
    ///
    /// let event = MessageEvent::new("x").with_id(7u64);
    /// assert_eq!((event.id(), event.last_event_id()), (Some("7"), "7"));
    /// ```
    #[must_use]
    pub fn with_id(mut self, id: impl Into<EventId>) -> Self {
        self.set_last_event_id(&id.into(), true);
        self
    }

    /// Sets the last event ID to that of an earlier event, and removes the event's own ID.
    ///
    /// ```
    /// use tower_sse::MessageEvent;
    ///
    /// let event = MessageEvent::new("x").with_last_event_id(7u64);
    /// assert_eq!((event.id(), event.last_event_id()), (None, "7"));
    /// ```
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<EventId>) -> Self {
        self.set_last_event_id(&id.into(), false);
        self
    }

    /// Sets the event's own reconnection time, in whole milliseconds, rounded down, saturating at
    /// `u64::MAX`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::MessageEvent;
    ///
    /// let event = MessageEvent::new("x").with_retry(Duration::from_secs(2));
    /// assert_eq!(event.retry(), Some(Duration::from_secs(2)));
    /// ```
    #[must_use]
    pub fn with_retry(mut self, time: Duration) -> Self {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.beside_mut().retry = Some(milliseconds);
        self
    }

    fn set_last_event_id(&mut self, id: &EventId, own: bool) {
        self.id = None;
        let beside = self.beside_mut();
        beside.last_event_id = Box::from(id.as_str());
        beside.own = own;
    }

    fn beside_mut(&mut self) -> &mut Beside {
        Arc::make_mut(self.beside.get_or_insert_default())
    }
}
