//! The one bridge between the two wings: an event that was decoded is sent on.

use super::decode::MessageEvent;
use super::encode::{Data, Event};

/// The event to send on, without copying its data: type and ID are always set.
///
/// ```
/// use bytes::Bytes;
/// use tower_sse::{Decoder, Event};
///
/// let mut chunk = Bytes::from("id:7\ndata:x\r\r");
/// let event = Decoder::new().decode(&mut chunk)?.unwrap();
/// assert_eq!(Event::from(event).encode(), "event: message\nid: 7\ndata: x\n\n");
/// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
/// ```
impl From<MessageEvent> for Event {
    fn from(event: MessageEvent) -> Self {
        let (event_type, data, id) = event.into_parts();
        Event::new(Data::from_utf8(data))
            .with_type(event_type)
            .with_id(id)
    }
}
