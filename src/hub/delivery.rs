use std::borrow::Cow;
use std::fmt;
use std::str;
use std::sync::Arc;

use crate::protocol::Block;

/// An event on its way to one subscriber: the argument of a filter, and an item of
/// [`Deliveries`](super::Deliveries).
///
/// It holds the encoded bytes that all subscribers share. Accessors read the fields out of them.
///
/// ```
/// use tower_sse::hub::Hub;
/// use tower_sse::{Event, EventType};
/// use futures_util::StreamExt;
///
/// # futures_util::FutureExt::now_or_never(async {
/// let hub = Hub::builder().epoch(36).build();
/// let mut deliveries = hub.subscriber().topic("chess").subscribe()?.into_stream();
/// hub.topic("chess").publish(Event::new("e4\ne5").with_type(EventType::from_static("move")));
/// let delivery = deliveries.next().await.unwrap().unwrap();
/// assert_eq!(delivery.topic(), "chess");
/// assert_eq!(delivery.event_type(), "move");
/// assert_eq!(delivery.id(), Some("10-1"));
/// assert_eq!(delivery.data(), "e4\ne5");
/// # Ok::<(), tower_sse::hub::Refused>(())
/// # }).unwrap()?;
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Clone)]
pub struct Delivery {
    topic: Arc<str>,
    block: Block,
}

impl Delivery {
    pub(super) fn new(topic: Arc<str>, block: Block) -> Self {
        Self { topic, block }
    }

    /// The topic's name, shared.
    #[cfg(any(test, feature = "redis"))]
    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.topic)
    }

    /// Returns the topic it was published to; empty for the topic without a name.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use tower_sse::{Event, EventType, hub::Hub};
    /// # let hub = Hub::builder().epoch(36).build();
    /// # let mut stream = hub.subscribe()?.into_stream();
    /// # hub.publish(Event::new("1\n2").with_type(EventType::from_static("n")));
    /// # let delivery = stream.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!(delivery.topic(), "");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the event's ID; `None` for a transient event.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use tower_sse::{Event, EventType, hub::Hub};
    /// # let hub = Hub::builder().epoch(36).build();
    /// # let mut stream = hub.subscribe()?.into_stream();
    /// # hub.publish(Event::new("1\n2").with_type(EventType::from_static("n")));
    /// # let delivery = stream.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!(delivery.id(), Some("10-1"));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.values("id: ").next()
    }

    /// Returns the event's type: the type that was set, or `message`.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use tower_sse::{Event, EventType, hub::Hub};
    /// # let hub = Hub::builder().epoch(36).build();
    /// # let mut stream = hub.subscribe()?.into_stream();
    /// # hub.publish(Event::new("1\n2").with_type(EventType::from_static("n")));
    /// # let delivery = stream.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!(delivery.event_type(), "n");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.values("event: ").next().unwrap_or("message")
    }

    /// Returns the event's data as the page receives it: borrowed if it is a single line.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use tower_sse::{Event, EventType, hub::Hub};
    /// # let hub = Hub::builder().epoch(36).build();
    /// # let mut stream = hub.subscribe()?.into_stream();
    /// # hub.publish(Event::new("1\n2").with_type(EventType::from_static("n")));
    /// # let delivery = stream.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!(delivery.data(), "1\n2");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn data(&self) -> Cow<'_, str> {
        if let (_, Some(payload)) = self.block.parts() {
            return Cow::Borrowed(str::from_utf8(payload).unwrap_or_default());
        }
        let mut lines = self.values("data: ");
        let first = lines.next().unwrap_or_default();
        match lines.next() {
            None => Cow::Borrowed(first),
            Some(second) => {
                let mut data = String::from(first);
                for line in std::iter::once(second).chain(lines) {
                    data.push('\n');
                    data.push_str(line);
                }
                Cow::Owned(data)
            }
        }
    }

    /// Converts the event into its bytes on the wire.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use tower_sse::{Event, EventType, hub::Hub};
    /// # let hub = Hub::builder().epoch(36).build();
    /// # let mut stream = hub.subscribe()?.into_stream();
    /// # hub.publish(Event::new("1\n2").with_type(EventType::from_static("n")));
    /// # let delivery = stream.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!(delivery.into_block(), "event: n\nid: 10-1\ndata: 1\ndata: 2\n\n");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn into_block(self) -> Block {
        self.block
    }

    /// The values of a field. Lines come from our own encoder: they end with LF and have one space
    /// after the colon.
    fn values<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let head = str::from_utf8(self.block.parts().0).unwrap_or_default();
        head.split('\n')
            .filter_map(move |line| line.strip_prefix(name))
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("topic", &self.topic())
            .field("id", &self.id())
            .field("event_type", &self.event_type())
            .field("data", &self.data())
            .finish()
    }
}
