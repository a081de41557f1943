use std::sync::Arc;
use std::time::Duration;

use super::builder::HubBuilder;

/// How much of a topic's history is retained, up to whichever limit is reached first:
/// [`HubBuilder::retain_topic`](super::HubBuilder::retain_topic),
/// [`HubBuilder::retain_prefix`](super::HubBuilder::retain_prefix).
///
/// Limits that are not set here are those for all topics. A topic's newest event is retained
/// whatever its size, until it is too old or the hub reaches its own limit in bytes.
///
/// ```
/// use std::time::Duration;
/// use tower_sse::Event;
/// use tower_sse::hub::{Hub, Retention};
///
/// let hub = Hub::builder()
///     .retain_topic("audit", Retention::new().events(1_000_000))
///     .retain_prefix("cursor/", Retention::new().events(1).age(Duration::from_secs(60)))
///     .build();
/// (0..10).for_each(|n| _ = hub.topic("cursor/7").publish(Event::display(n).unwrap()));
/// (0..10).for_each(|n| _ = hub.topic("audit").publish(Event::display(n).unwrap()));
/// assert_eq!(hub.stats().retained, 1 + 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[must_use = "a retention does nothing until a hub has it"]
pub struct Retention {
    events: Option<usize>,
    bytes: Option<usize>,
    age: Option<Duration>,
}

impl Retention {
    /// Creates a retention with the limits for all topics.
    ///
    /// ```
    /// # use tower_sse::hub::Retention;
    /// assert_eq!(Retention::new(), Retention::default());
    /// ```
    pub const fn new() -> Self {
        Self {
            events: None,
            bytes: None,
            age: None,
        }
    }

    /// Sets the maximum number of retained events, at least 1.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::{Hub, Retention}};
    /// let hub = Hub::builder().retain_topic("a", Retention::new().events(2)).build();
    /// (0..5).for_each(|n| _ = hub.topic("a").publish(Event::display(n).unwrap()));
    /// assert_eq!(hub.stats().retained, 2);
    /// ```
    pub const fn events(mut self, events: usize) -> Self {
        self.events = Some(events);
        self
    }

    /// Sets the maximum size of the retained events in bytes, counted as by
    /// [`retain_bytes`](super::HubBuilder::retain_bytes), but without the topic itself.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::{Hub, Retention}};
    /// let hub = Hub::builder().retain_topic("a", Retention::new().bytes(1_000)).build();
    /// (0..50).for_each(|n| _ = hub.topic("a").publish(Event::display(n).unwrap()));
    /// assert_eq!(hub.stats().retained, 4);
    /// ```
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// Sets how long an event is retained; see [`retain_for`](super::HubBuilder::retain_for).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, hub::{Hub, Retention}};
    /// let brief = Retention::new().age(Duration::from_millis(1));
    /// let hub = Hub::builder().retain_prefix("a", brief).build();
    /// hub.topic("ab").publish(Event::new("old"));
    /// std::thread::sleep(Duration::from_millis(5));
    /// hub.topic("b").publish(Event::new("new"));
    /// assert_eq!(hub.stats().retained, 1);
    /// ```
    pub const fn age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// Takes the limits that are not set here from another retention.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            events: self.events.or(other.events),
            bytes: self.bytes.or(other.bytes),
            age: self.age.or(other.age),
        }
    }

    pub(super) fn max_events(self) -> usize {
        self.events.unwrap_or(usize::MAX).max(1)
    }

    pub(super) fn max_bytes(self) -> usize {
        self.bytes.unwrap_or(usize::MAX)
    }

    pub(super) fn max_age(self) -> Option<Duration> {
        self.age
    }
}

/// Settings for retention.
impl HubBuilder {
    /// Sets the maximum number of events retained for each topic, at least 1; 4096 by default. To
    /// set it for single topics, see [`retain_topic`](Self::retain_topic).
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::builder().retain_events(2).build();
    /// (0..5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
    /// assert_eq!(hub.stats().retained, 2);
    /// ```
    pub fn retain_events(mut self, events: usize) -> Self {
        self.rules().all(Retention::new().events(events));
        self
    }

    /// Sets the maximum size of the retained events of all topics together, in bytes; 4 MiB by
    /// default. The newest event is always retained.
    ///
    /// When the limit is exceeded, the oldest events are evicted, except for topics that hold less
    /// than about a sixteenth of what the largest topic holds. The largest topic loses its oldest
    /// events instead, so a noisy topic does not displace a quiet one.
    ///
    /// An event counts as its bytes on the wire plus 200 bytes of overhead, and a topic that retains
    /// an event as its name plus 400 bytes. Not counted are merged frames, which subscribers at the
    /// same place share, and which take at most the same amount again, or 256 KiB if that is more.
    /// Nor are transient events, which are kept for subscribers that are behind: at most 256, and at
    /// most the same amount, unless a single one is larger. Nor are the lists of events under a
    /// [prefix](super::SubscriptionBuilder::prefix).
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::builder().retain_bytes(10_000).build();
    /// hub.topic("quiet").publish(Event::new("x"));
    /// (0..50).for_each(|n| _ = hub.topic("noisy").publish(Event::display(n).unwrap()));
    /// assert!(hub.stats().retained_bytes <= 10_000);
    /// assert_eq!(hub.stats().topics, 2);
    /// ```
    pub fn retain_bytes(mut self, bytes: usize) -> Self {
        self.rules().bytes(bytes);
        self
    }

    /// Sets how long an event is retained; unlimited by default. Events that are too old are
    /// evicted when an event is published, when a client subscribes, and on time while
    /// [`Hub::keep_time`](super::Hub::keep_time) is polled. On `wasm32-unknown-unknown`, where the
    /// standard library has no clock, only the other limits apply.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use std::time::Duration;
    ///
    /// let hub = Hub::builder().retain_for(Duration::from_millis(1)).build();
    /// hub.publish(Event::new("old"));
    /// std::thread::sleep(Duration::from_millis(5));
    /// hub.publish(Event::new("new"));
    /// assert_eq!(hub.stats().retained, 1);
    /// ```
    pub fn retain_for(mut self, age: Duration) -> Self {
        self.rules().all(Retention::new().age(age));
        self
    }

    /// Sets how much of this topic is retained. Limits that the [`Retention`] does not set are
    /// those for all topics.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::{Hub, Retention}};
    /// let hub = Hub::builder().retain_topic("price", Retention::new().events(1)).build();
    /// (0..5).for_each(|n| _ = hub.topic("price").publish(Event::display(n).unwrap()));
    /// (0..5).for_each(|n| _ = hub.topic("trade").publish(Event::display(n).unwrap()));
    /// assert_eq!(hub.stats().retained, 1 + 5);
    /// ```
    pub fn retain_topic(mut self, name: impl Into<Arc<str>>, retention: Retention) -> Self {
        self.rules().topic(name.into(), retention);
        self
    }

    /// Sets how much is retained of each topic whose name starts with this prefix, unless there is
    /// a rule for the topic itself or for a longer prefix.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::{Hub, Retention}};
    /// let hub = Hub::builder().retain_prefix("price/", Retention::new().events(1)).build();
    /// for n in 0..5 {
    ///     hub.topic("price/EUR").publish(Event::display(n).unwrap());
    ///     hub.topic("price/CHF").publish(Event::display(n).unwrap());
    /// }
    /// assert_eq!(hub.stats().retained, 2);
    /// ```
    pub fn retain_prefix(mut self, prefix: impl Into<Arc<str>>, retention: Retention) -> Self {
        self.rules().prefix(prefix.into(), retention);
        self
    }
}
