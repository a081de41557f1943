use super::Hub;
use crate::protocol::{Event, EventId};

/// One of a hub's topics, to publish to: [`Hub::topic`].
///
/// A topic is there while somebody follows it or the hub retains an event of it; making and dropping
/// this value costs nothing.
///
/// ```
/// use tower_sse::Event;
/// use tower_sse::hub::Hub;
///
/// let hub = Hub::new();
/// hub.topic("match/7").publish(Event::new("kick-off"));
/// hub.topic("match/7").publish_transient(Event::new("somebody is typing"));
/// assert_eq!(hub.stats().retained, 1);
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a topic does nothing until something is published"]
pub struct Topic<'a> {
    hub: &'a Hub,
    name: &'a str,
}

impl<'a> Topic<'a> {
    pub(super) fn new(hub: &'a Hub, name: &'a str) -> Self {
        Self { hub, name }
    }

    /// The topic's name.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// assert_eq!(Hub::new().topic("match/7").name(), "match/7");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// Publishes an event; see [`Hub::publish`].
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::builder().epoch(36).build();
    /// assert_eq!(hub.topic("match/7").publish(Event::new("goal")).as_str(), "10-1");
    /// ```
    pub fn publish(&self, event: impl std::borrow::Borrow<Event>) -> EventId {
        self.hub.shared().publish(self.name, event.borrow())
    }

    /// Sends an event to the topic's present subscribers; see [`Hub::publish_transient`].
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.topic("match/7").publish_transient(Event::new("somebody is typing"));
    /// assert_eq!((hub.stats().published, hub.stats().retained), (1, 0));
    /// ```
    pub fn publish_transient(&self, event: impl std::borrow::Borrow<Event>) {
        let block = event.borrow().encode_as(None);
        self.hub.shared().publish_transient(self.name, block);
    }
}
