use std::time::Duration;

use super::core::Rules;
use super::hub_settings::HubSettings;
use super::memory::Memory;
use super::retention::Retention;
use crate::protocol::{Event, EventType};

/// A builder for a [`Hub`](super::Hub).
///
/// ```
/// use std::time::Duration;
/// use tower_sse::hub::{Hub, LagPolicy};
///
/// let hub = Hub::builder()
///     .retain_events(10_000)
///     .retain_bytes(16 << 20)
///     .retain_for(Duration::from_secs(600))
///     .lag(LagPolicy::Oldest)
///     .max_subscribers(5_000)
///     .build();
/// assert_eq!(hub.stats().retained, 0);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it builds"]
#[expect(private_bounds, reason = "there are no engines but the hub's own")]
pub struct HubBuilder<L: Engine = Memory> {
    rules: Rules,
    gap: Option<Event>,
    farewell: Option<Event>,
    max_subscribers: usize,
    max_per_owner: usize,
    retry_after: Duration,
    announce_place: bool,
    #[cfg(feature = "compression")]
    compression: crate::compression::Compression,
    pub(super) engine: L::Settings,
}

/// The log behind a hub, with its settings.
pub(super) trait Engine {
    type Settings;
}

#[expect(private_bounds, reason = "there are no engines but the hub's own")]
impl<L: Engine> HubBuilder<L> {
    pub(super) fn with_engine(engine: L::Settings) -> Self {
        Self {
            rules: Rules::new(4 << 20, Retention::new().events(4096)),
            gap: Some(Event::new("{}").with_type(EventType::from_static("gap"))),
            farewell: None,
            max_subscribers: usize::MAX,
            max_per_owner: usize::MAX,
            retry_after: Duration::from_secs(5),
            announce_place: true,
            #[cfg(feature = "compression")]
            compression: crate::compression::Compression::new(),
            engine,
        }
    }

    /// The retention rules; see `retention.rs` for the settings.
    pub(super) fn rules(&mut self) -> &mut Rules {
        &mut self.rules
    }

    /// The engine's settings, the retention rules, and the settings for any engine.
    pub(super) fn into_parts(self) -> (L::Settings, Rules, HubSettings) {
        let settings = HubSettings {
            gap: self.gap,
            farewell: self.farewell.map(|event| event.encode_as(None)),
            max_subscribers: self.max_subscribers,
            max_per_owner: self.max_per_owner,
            retry_after: self.retry_after,
            keep_event_ids: false,
            announce_place: self.announce_place,
            #[cfg(feature = "compression")]
            compression: self.compression,
            #[cfg(any(test, feature = "redis"))]
            foreign: false,
            #[cfg(any(test, feature = "redis"))]
            past: None,
        };
        (self.engine, self.rules, settings)
    }

    /// Sets the event that tells a subscriber that it may have missed events, or `None` to send
    /// nothing. By default it is an event of type `gap` with the data `{}`. Its ID is replaced by
    /// the place that the subscriber continues from.
    ///
    /// The default's data is valid JSON because the OpenAI SDKs parse the data of every event,
    /// whatever its type. They raise an API error for an object with an `error` field, so send them
    /// such an object. The Anthropic SDKs raise an error for an event of type `error`, and ignore
    /// types that they do not know.
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// use http_body_util::BodyExt;
    /// use tower_sse::hub::Hub;
    /// use tower_sse::{Event, EventId, EventType};
    ///
    /// let lost = Event::new(r#"{"error": {"message": "events were lost"}}"#)
    ///     .with_type(EventType::from_static("error"));
    /// let hub = Hub::builder().epoch(36).gap_event(lost).build();
    /// let body = hub.resume(EventId::from_static("of yesterday"))?;
    /// hub.close();
    /// assert_eq!(
    ///     body.collect().now_or_never().unwrap().unwrap().to_bytes(),
    ///     "event: error\nid: 10-0\ndata: {\"error\": {\"message\": \"events were lost\"}}\n\n",
    /// );
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn gap_event(mut self, event: impl Into<Option<Event>>) -> Self {
        self.gap = event.into();
        self
    }

    /// Sets the last event of every stream that [`Hub::close`](super::Hub::close) ends; none by
    /// default. The event is sent without its ID.
    ///
    /// ```
    /// # futures_util::FutureExt::now_or_never(async {
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, hub::Hub};
    ///
    /// let hub = Hub::builder().epoch(36).farewell(Event::new("bye")).build();
    /// let body = hub.subscribe().unwrap();
    /// hub.close();
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), "id: 10-0\n\ndata: bye\n\n");
    /// # }).unwrap();
    /// ```
    pub fn farewell(mut self, event: impl Into<Option<Event>>) -> Self {
        self.farewell = event.into();
        self
    }

    /// Sets the maximum number of concurrent subscribers; unlimited by default. Subscribers beyond
    /// it are [refused](super::Refused).
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::builder().max_subscribers(1).build();
    /// let first = hub.subscribe()?;
    /// assert!(hub.subscribe().is_err());
    /// drop(first);
    /// assert!(hub.subscribe().is_ok());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn max_subscribers(mut self, subscribers: usize) -> Self {
        self.max_subscribers = subscribers;
        self
    }

    /// Sets the maximum number of subscriptions that one [owner](super::SubscriptionBuilder::owner)
    /// may have at once; unlimited by default. Subscriptions beyond it are
    /// [refused](super::Refused::is_too_many) with 429.
    ///
    /// Subscriptions that have been [ended](super::Owner::end) do not count, and subscriptions
    /// without an owner are not limited.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::builder().max_per_owner(1).build();
    /// let first = hub.subscriber().owner("anna").subscribe()?;
    /// assert!(hub.subscriber().owner("anna").subscribe().is_err());
    /// assert!(hub.subscriber().owner("ben").subscribe().is_ok());
    /// drop(first);
    /// assert!(hub.subscriber().owner("anna").subscribe().is_ok());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn max_per_owner(mut self, subscriptions: usize) -> Self {
        self.max_per_owner = subscriptions;
        self
    }

    /// Sets when a refused client may try again; 5 s by default. Each client is told a random time
    /// between this one and twice that.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// use std::time::Duration;
    ///
    /// let hub = Hub::builder().max_subscribers(0).retry_after(Duration::from_secs(9)).build();
    /// let response = hub.subscribe().unwrap_err().into_http_response::<String>();
    /// let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    /// assert!((9..=18).contains(&seconds));
    /// ```
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = time;
        self
    }

    /// Sets whether a new subscription begins with its place: a block that has an ID and nothing
    /// else. On by default.
    ///
    /// Readers that follow the standard, such as browsers, keep the ID without dispatching an
    /// event, so a client that loses its connection before the first event still resumes where it
    /// began. Other readers dispatch an empty event for such a block. Among them are the OpenAI and
    /// Anthropic SDKs, which fail to parse its data: turn this off for their streams. A subscriber
    /// that reconnects before its first event then starts over.
    ///
    /// A gap event always contains the place in its own block. A [long
    /// poll](super::Subscription::long_poll) always begins with its place, because the next poll
    /// resumes from there.
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, Hub};
    ///
    /// let hub = Hub::builder().epoch(36).announce_place(false).build();
    /// let body = hub.subscribe()?;
    /// hub.publish(Event::new("goal"));
    /// hub.close();
    /// let bytes = body.collect().now_or_never().unwrap().unwrap().to_bytes();
    /// assert_eq!(bytes, "id: 10-1\ndata: goal\n\n");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn announce_place(mut self, announce: bool) -> Self {
        self.announce_place = announce;
        self
    }

    /// Sets how the hub compresses events for all subscribers together, if
    /// [`HubService::compression`](super::HubService::compression) or
    /// [`SseLayer::compression`](crate::SseLayer::compression) compresses their streams.
    ///
    /// Events are compressed when the first of these subscribers takes them, in its poll. The
    /// others send the same bytes.
    ///
    /// ```
    /// use tower_sse::compression::Compression;
    /// use tower_sse::hub::{Hub, HubService};
    ///
    /// let hub = Hub::builder().compression(Compression::new().level(9)).build();
    /// let service = HubService::new(hub).compression(Compression::new());
    /// assert!(format!("{service:?}").contains("HubService"));
    /// ```
    #[cfg(feature = "compression")]
    pub fn compression(mut self, settings: crate::compression::Compression) -> Self {
        self.compression = settings;
        self
    }
}
