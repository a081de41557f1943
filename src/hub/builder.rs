use std::time::Duration;

use super::Hub;
use super::core::{Rules, State};
use super::epoch::Epoch;
use super::outcome::LagPolicy;
use super::retention::Retention;
#[cfg(feature = "sealed")]
use super::seal::SealKey;
use super::shared::{HubSettings, Shared};
use super::tail::Tail;
use crate::protocol::{Event, EventType};
use crate::sync::Arc;

/// Settings of a [`Hub`].
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
pub struct HubBuilder {
    rules: Rules,
    lag: LagPolicy,
    gap: Option<Event>,
    farewell: Option<Event>,
    max_subscribers: usize,
    max_per_owner: usize,
    retry_after: Duration,
    keep_event_ids: bool,
    announce_place: bool,
    epoch: Option<u64>,
    tail: Option<Tail>,
    #[cfg(any(test, feature = "redis"))]
    foreign: Option<u128>,
    #[cfg(any(test, feature = "redis"))]
    past: Option<std::sync::Arc<dyn super::past::Past>>,
    #[cfg(feature = "sealed")]
    seal_key: Option<SealKey>,
}

impl HubBuilder {
    pub(super) fn new() -> Self {
        Self {
            rules: Rules::new(4 << 20, Retention::new().events(4096)),
            lag: LagPolicy::default(),
            gap: Some(Event::new("{}").with_type(EventType::from_static("gap"))),
            farewell: None,
            max_subscribers: usize::MAX,
            max_per_owner: usize::MAX,
            retry_after: Duration::from_secs(5),
            keep_event_ids: false,
            announce_place: true,
            epoch: None,
            tail: None,
            #[cfg(any(test, feature = "redis"))]
            foreign: None,
            #[cfg(any(test, feature = "redis"))]
            past: None,
            #[cfg(feature = "sealed")]
            seal_key: None,
        }
    }

    /// The retention rules; see `retention.rs` for the settings.
    pub(super) fn rules(&mut self) -> &mut Rules {
        &mut self.rules
    }

    /// The key in the outer log after which the hub begins; see `foreign.rs`.
    #[cfg(any(test, feature = "redis"))]
    pub(super) fn foreign(&mut self) -> &mut Option<u128> {
        &mut self.foreign
    }

    /// The source of events older than the ring.
    #[cfg(any(test, feature = "redis"))]
    #[allow(dead_code, reason = "the engine is yet to come")]
    pub(super) fn past(mut self, past: std::sync::Arc<dyn super::past::Past>) -> Self {
        self.past = Some(past);
        self
    }

    /// The tail that an earlier life of the hub left; see `tail/beginning.rs` for the setting.
    pub(super) fn begin_with(mut self, tail: Tail) -> Self {
        self.epoch = Some(tail.epoch());
        self.tail = Some(tail);
        self
    }

    /// Sets what happens to a subscriber that falls behind what the hub retains. By default it is
    /// told of the gap and continues with the oldest retained event.
    ///
    /// ```
    /// # futures_util::FutureExt::now_or_never(async {
    /// use http_body_util::BodyExt;
    /// use tower_sse::hub::{Hub, LagPolicy};
    /// use tower_sse::Event;
    ///
    /// let hub = Hub::builder().epoch(36).lag(LagPolicy::Newest).retain_events(2).build();
    /// let mut body = hub.subscribe().unwrap();
    /// body.frame().await; // its position
    /// (0..5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
    /// let gap = body.frame().await.unwrap().unwrap().into_data().unwrap();
    /// assert_eq!(gap, "event: gap\nid: 10-5\ndata: {}\n\n");
    /// # }).unwrap();
    /// ```
    pub fn lag(mut self, lag: LagPolicy) -> Self {
        self.lag = lag;
        self
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

    /// Sets the last event of every stream that [`Hub::close`] ends; none by default. The event is
    /// sent without its ID.
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

    /// Sends events with their own IDs instead of the hub's numbers, and resumes by them. An event
    /// gets one of the hub's IDs if it has no ID, an empty ID, or an ID of the hub's own form.
    ///
    /// An ID is known while its event is retained, and only to subscribers of its topic, so each
    /// topic may number its own events. If two events in a subscriber's topics have the same ID,
    /// the later one counts.
    ///
    /// ```
    /// use tower_sse::hub::{Hub, Outcome};
    /// use tower_sse::{Event, EventId};
    ///
    /// let hub = Hub::builder().keep_event_ids().build();
    /// let id = EventId::from_static("order-7");
    /// assert_eq!(hub.publish(Event::new("paid").with_id(id.clone())), id);
    /// assert_eq!(hub.resume(id)?.outcome(), Outcome::Resumed(0));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn keep_event_ids(mut self) -> Self {
        self.keep_event_ids = true;
        self
    }

    /// Sets whether a new subscription begins with its place: a block that has an ID and nothing
    /// else. On by default.
    ///
    /// The standard's readers, browsers among them, keep the ID without dispatching an event, so a
    /// client that loses its connection before the first event still resumes where it began. Some
    /// readers dispatch an empty event for such a block. The OpenAI and Anthropic SDKs are among them
    /// and fail to parse its data: turn this off for their streams. A subscriber that reconnects
    /// before its first event then begins anew.
    ///
    /// A gap event always carries the place in its own block. A [long
    /// poll](super::Subscription::long_poll) always begins with its place, since the next poll
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

    /// Sets the epoch, which distinguishes this hub's IDs from those of another life of the
    /// process; random by default.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::builder().epoch(36).build();
    /// assert_eq!(hub.publish(Event::new("x")).as_str(), "10-1");
    /// ```
    pub fn epoch(mut self, epoch: u64) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// Seals the hub's IDs, so that they reveal nothing and cannot be forged. An ID then consists
    /// of 43 letters, digits, `-` and `_`. It reveals neither the epoch nor the number, and two IDs
    /// do not reveal how many events lie between them. All subscribers get the same ID for an
    /// event.
    ///
    /// An ID that was not sealed with this key, for this [epoch](Self::epoch), is
    /// [`Unknown`](super::Outcome::Unknown), whatever is wrong with it. Processes that need to
    /// recognize each other's IDs must share the key and the epoch.
    ///
    /// Sealing does not bind an ID to a client: one client can resume from another's ID, in the
    /// topics that the handler lets it follow. A place that advances still reveals that something
    /// was published. With [`keep_event_ids`](Self::keep_event_ids), an event's own ID is sent
    /// unchanged, and only the hub's IDs are sealed.
    ///
    /// An ID is sealed once, when its event is published, and outside the hub's lock. The
    /// publishers of a hub take turns to do so.
    ///
    /// ```
    /// use tower_sse::hub::{Hub, Outcome};
    /// use tower_sse::{Event, EventId};
    ///
    /// let secret = [7; 32];
    /// let hub = Hub::builder().seal_ids(secret).epoch(36).build();
    /// let id = hub.publish(Event::new("kick-off"));
    /// hub.publish(Event::new("goal"));
    /// assert_eq!(id.as_str().len(), 43);
    /// assert_eq!(hub.resume(id)?.outcome(), Outcome::Resumed(1));
    /// assert_eq!(hub.resume(EventId::from_static("10-0"))?.outcome(), Outcome::Unknown);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[cfg(feature = "sealed")]
    pub fn seal_ids(mut self, key: impl Into<SealKey>) -> Self {
        self.seal_key = Some(key.into());
        self
    }

    /// Builds the hub.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// assert_eq!(Hub::builder().build().stats().published, 0);
    /// ```
    #[must_use]
    pub fn build(self) -> Hub {
        let epoch = self.epoch.unwrap_or_else(Epoch::random_number);
        #[cfg(feature = "sealed")]
        let epoch = match self.seal_key {
            Some(key) => Epoch::sealed(epoch, key),
            None => Epoch::new(epoch),
        };
        #[cfg(not(feature = "sealed"))]
        let epoch = Epoch::new(epoch);
        let settings = HubSettings {
            gap: self.gap,
            farewell: self.farewell.map(|event| event.encode_as(None)),
            max_subscribers: self.max_subscribers,
            max_per_owner: self.max_per_owner,
            retry_after: self.retry_after,
            keep_event_ids: self.keep_event_ids,
            announce_place: self.announce_place,
            #[cfg(any(test, feature = "redis"))]
            foreign: self.foreign.is_some(),
            #[cfg(any(test, feature = "redis"))]
            past: self.past,
        };
        let mut state = State::new(self.rules, self.lag);
        if let Some(tail) = self.tail {
            tail.begin(&mut state, &epoch, self.keep_event_ids);
        }
        #[cfg(any(test, feature = "redis"))]
        if let Some(key) = self.foreign {
            state.begin_after(key);
        }
        Hub::from_shared(Arc::new(Shared::new(state, epoch, settings)))
    }
}
