//! The only bridge between decoding and encoding: sending on an event that was decoded.

use super::decode::MessageEvent;
use super::encode::{Data, Event};

/// Converts a received event into an event to send on, without copying its data.
///
/// It has exactly what the received block had: a type if the server set one, an ID if it had [its
/// own](MessageEvent::id), and a reconnection time if it [set one](MessageEvent::retry). An event
/// received without an ID is sent without one: with its predecessor's ID, a client that resumes
/// after the predecessor would never see it.
///
/// ```
/// use bytes::Bytes;
/// use tower_sse::{Decoder, Event};
///
/// let mut decoder = Decoder::new();
/// let mut chunk = Bytes::from("id:7\ndata:a\r\rdata:b\r\r");
/// let first = decoder.decode(&mut chunk)?.unwrap();
/// assert_eq!(Event::from(first).encode(), "id: 7\ndata: a\n\n");
/// let second = decoder.decode(&mut chunk)?.unwrap();
/// assert_eq!(Event::from(second).encode(), "data: b\n\n");
/// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
/// ```
impl From<MessageEvent> for Event {
    fn from(event: MessageEvent) -> Self {
        let (data, event_type, id, retry) = event.into_own_parts();
        let mut event = Event::new(Data::from_utf8(data));
        if let Some(event_type) = event_type {
            event = event.with_type(event_type);
        }
        if let Some(id) = id {
            event = event.with_id(id);
        }
        if let Some(retry) = retry {
            event = event.with_retry(retry);
        }
        event
    }
}
