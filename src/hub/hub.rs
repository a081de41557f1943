use std::borrow::Borrow;
use std::fmt;

use super::builder::HubBuilder;
use super::keep_open::{HeldEngine, KeepOpen};
use super::memory::Memory;
use super::owner::Owner;
use super::refused::Refused;
use super::shared::Shared;
use super::stats::Stats;
use super::subscription::{After, Subscription, SubscriptionBuilder};
use super::tail::Tail;
use super::topic::Topic;
use crate::protocol::{Event, EventId};
use crate::sync::Arc;

/// Publishes events to any number of subscribers, and replays missed events to those that
/// reconnect.
///
/// Clones refer to the same hub. Dropping the last clone [closes](Self::close) the hub: nothing
/// more can be published, so its streams end. See the [module documentation](super) for how it
/// works.
///
/// The type parameter says where the hub's log is: in [memory](Memory) by default, or, with the
/// feature `redis`, in a Redis stream that hubs on several machines share. Such a hub publishes to
/// all of them. Everything else, such as [`close`](Self::close) and [`stats`](Self::stats),
/// concerns this process only.
///
/// ```
/// use http_body_util::BodyExt;
/// use tower_sse::Event;
/// use tower_sse::hub::Hub;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let hub = Hub::builder().epoch(36).build();
/// let id = hub.publish(Event::new("kick-off"));
/// assert_eq!(id.as_str(), "10-1");
///
/// let body = hub.resume(id).unwrap();
/// hub.publish(Event::new("goal"));
/// hub.publish(Event::new("final whistle"));
/// hub.close();
/// assert_eq!(
///     body.collect().await.unwrap().to_bytes(),
///     "id: 10-2\ndata: goal\n\nid: 10-3\ndata: final whistle\n\n",
/// );
/// # }
/// ```
pub struct Hub<L = Memory> {
    open: KeepOpen,
    log: L,
}

impl Hub {
    /// Creates a hub with the defaults of [`HubBuilder`].
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// assert_eq!(Hub::new().stats().subscribers, 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder with the default settings.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::builder().max_subscribers(0).build();
    /// assert!(hub.subscribe().is_err());
    /// ```
    pub fn builder() -> HubBuilder {
        HubBuilder::new()
    }

    /// Publishes an event to the topic without a name and returns its ID.
    ///
    /// The hub encodes the event once, with an ID of its own instead of the event's, retains it,
    /// and wakes the topic's subscribers. Publishing never waits for a subscriber; to wait, see
    /// [`caught_up`](Self::caught_up). Events of concurrent publishers are delivered in the same
    /// order to every subscriber.
    ///
    /// ```
    /// use tower_sse::Event;
    /// use tower_sse::hub::Hub;
    ///
    /// let hub = Hub::builder().epoch(36).build();
    /// assert_eq!(hub.publish(Event::new("x")).as_str(), "10-1");
    /// assert_eq!(hub.publish(&Event::new("y")).as_str(), "10-2");
    /// ```
    pub fn publish(&self, event: impl Borrow<Event>) -> EventId {
        self.topic("").publish(event)
    }

    /// Sends an event to the current subscribers of the topic without a name, without adding it to
    /// the history: presence, progress, typing indicators. It has no ID, and subscribers that are
    /// too far behind miss it.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::Event;
    /// use tower_sse::hub::Hub;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = Hub::builder().epoch(36).build();
    /// let id = hub.publish(Event::new("kick-off"));
    /// let body = hub.resume(id).unwrap();
    /// hub.publish_transient(Event::new("Anna is typing"));
    /// hub.close();
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), "data: Anna is typing\n\n");
    /// assert_eq!(hub.stats().retained, 1);
    /// # }
    /// ```
    pub fn publish_transient(&self, event: impl Borrow<Event>) {
        self.topic("").publish_transient(event);
    }

    /// Returns the subscriptions of one [owner](SubscriptionBuilder::owner).
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let _phone = hub.subscriber().owner("anna").subscribe()?;
    /// assert_eq!(hub.owner("anna").subscriptions(), 1);
    /// assert_eq!(hub.owner("ben").subscriptions(), 0);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn owner<'a>(&'a self, name: &'a str) -> Owner<'a> {
        Owner::new(&self.open, name)
    }

    /// Returns what a later life of this hub needs to [begin](HubBuilder::tail) where this one
    /// ends: its epoch, its numbers, the events it retains, and what it has lost. Transient events
    /// and subscribers are not included.
    ///
    /// Take it once the hub is [closed](Self::close) and nothing publishes to it: the tail is then
    /// [complete](Tail::is_complete). Publishers wait while references to the retained events are
    /// copied.
    ///
    /// ```
    /// # use tower_sse::{Event, Hub};
    /// let hub = Hub::new();
    /// hub.publish(Event::new("goal"));
    /// hub.close();
    /// let tail = hub.tail();
    /// assert!(tail.is_complete());
    /// assert_eq!(tail.events().len(), 1);
    /// ```
    #[must_use]
    pub fn tail(&self) -> Tail {
        self.shared().tail()
    }
}

impl<L> Hub<L> {
    /// Returns the topic with this name, to publish to. The empty string stands for the topic
    /// without a name.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.topic("match/7").publish(Event::new("goal"));
    /// assert_eq!(hub.stats().topics, 1);
    /// ```
    pub fn topic<'a>(&'a self, name: &'a str) -> Topic<'a, L> {
        Topic::new(self, name)
    }

    /// Subscribes to the topic without a name, starting with the next event published.
    ///
    /// # Errors
    ///
    /// If the hub is full or closed, or if the topic is [finished](Topic::finish) and there is
    /// nothing to replay.
    ///
    /// ```
    /// use tower_sse::hub::{Hub, Outcome};
    /// assert_eq!(Hub::new().subscribe()?.outcome(), Outcome::Fresh);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn subscribe(&self) -> Result<Subscription, Refused> {
        self.subscriber().subscribe()
    }

    /// Subscribes to the topic without a name, after the last event the client has seen. That is a
    /// [`LastEventId`](crate::LastEventId), an [`EventId`] or an `Option<LastEventId>`; see
    /// [`After`].
    ///
    /// No event is lost or duplicated between the replay and the live stream, even under concurrent
    /// publishing. [`Subscription::outcome`] says whether the client missed events before.
    ///
    /// # Errors
    ///
    /// If the hub is full or closed, or if the topic is [finished](Topic::finish) and there is
    /// nothing to replay.
    ///
    /// ```
    /// use tower_sse::{Event, LastEventId, hub::{Hub, Outcome}};
    ///
    /// let hub = Hub::builder().epoch(36).build();
    /// hub.publish(Event::new("kick-off"));
    /// hub.publish(Event::new("goal"));
    /// let last = LastEventId::from_query("lastEventId=10-1", 100).unwrap();
    /// assert_eq!(hub.resume(last)?.outcome(), Outcome::Resumed(1));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn resume(&self, last: impl Into<After>) -> Result<Subscription, Refused> {
        self.subscriber().after(last).subscribe()
    }

    /// Returns a builder for a subscription: its topics, a filter, and where to resume.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let _both = hub.subscriber().topic("match/7").topic("match/8").subscribe()?;
    /// assert_eq!(hub.stats().topics, 2);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn subscriber(&self) -> SubscriptionBuilder {
        SubscriptionBuilder::new(self.open.clone())
    }

    /// Closes the hub, which ends all streams. Each is first sent what has been published so far,
    /// and the [farewell](HubBuilder::farewell). Events published later reach none of them. New
    /// subscribers are refused, unless there is something to replay to them.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::Event;
    /// use tower_sse::hub::Hub;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = Hub::builder().epoch(36).farewell(Event::new("back in a minute")).build();
    /// let body = hub.subscribe().unwrap();
    /// hub.close();
    /// assert!(hub.subscribe().unwrap_err().is_closed());
    /// assert_eq!(
    ///     body.collect().await.unwrap().to_bytes(),
    ///     "id: 10-0\n\ndata: back in a minute\n\n",
    /// );
    /// # }
    /// ```
    pub fn close(&self) {
        self.shared().close();
    }

    /// Returns the place after everything published so far, as an ID to resume from.
    ///
    /// Use it for a page that is sent a state and then its changes: take the ID *before* reading
    /// the state, and let the page's first connection send it. A change made in between is then
    /// delivered twice rather than not at all.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, Hub};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = Hub::builder().epoch(36).build();
    /// hub.publish(Event::new("1 : 0"));
    /// let (place, state) = (hub.last_event_id(), "1 : 0");
    /// hub.publish(Event::new("2 : 0"));
    ///
    /// assert_eq!((place.as_str(), state), ("10-1", "1 : 0"));
    /// let changes = hub.resume(place).unwrap();
    /// hub.close();
    /// assert_eq!(changes.collect().await.unwrap().to_bytes(), "id: 10-2\ndata: 2 : 0\n\n");
    /// # }
    /// ```
    #[must_use]
    pub fn last_event_id(&self) -> EventId {
        self.shared().newest_id()
    }

    /// Returns counts of what the hub has done and what it holds.
    ///
    /// ```
    /// use tower_sse::Event;
    /// let hub = tower_sse::hub::Hub::new();
    /// hub.publish(Event::new("x"));
    /// assert_eq!((hub.stats().published, hub.stats().retained), (1, 1));
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().lock().stats()
    }
}

impl<L> Hub<L> {
    pub(super) fn on(log: L, shared: Arc<Shared>, engine: Option<HeldEngine>) -> Self {
        let open = KeepOpen::new(shared, engine);
        Self { open, log }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.open.shared()
    }

    #[cfg(all(feature = "redis", not(target_family = "wasm")))]
    pub(super) fn open(&self) -> &KeepOpen {
        &self.open
    }

    #[cfg(all(feature = "redis", not(target_family = "wasm")))]
    pub(super) fn log(&self) -> &L {
        &self.log
    }

    /// Returns the reference that keeps the hub open, whatever its log.
    pub(super) fn into_open(self) -> KeepOpen {
        self.open
    }
}

impl<L: Clone> Clone for Hub<L> {
    fn clone(&self) -> Self {
        Self {
            open: self.open.clone(),
            log: self.log.clone(),
        }
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl<L> fmt::Debug for Hub<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.open.fmt(f)
    }
}
