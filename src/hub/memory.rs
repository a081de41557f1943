use super::Hub;
use super::builder::{Engine, HubBuilder};
use super::core::State;
use super::epoch::Epoch;
use super::outcome::LagPolicy;
#[cfg(feature = "sealed")]
use super::seal::SealKey;
use super::shared::Shared;
use super::tail::Tail;
use crate::sync::Arc;

/// A log in the memory of this process, which is the default log of a [`Hub`](super::Hub).
///
/// ```
/// use tower_sse::hub::{Hub, Memory};
///
/// let hub: Hub<Memory> = Hub::new();
/// assert_eq!(hub.stats().published, 0);
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Memory;

/// The settings of a log in memory.
#[derive(Debug, Clone)]
pub(super) struct MemorySettings {
    lag: LagPolicy,
    keep_event_ids: bool,
    epoch: Option<u64>,
    tail: Option<Tail>,
    #[cfg(test)]
    foreign: Option<u128>,
    #[cfg(test)]
    past: Option<std::sync::Arc<dyn super::outer::Past>>,
    #[cfg(feature = "sealed")]
    seal_key: Option<SealKey>,
}

impl Engine for Memory {
    type Settings = MemorySettings;
}

impl HubBuilder {
    pub(super) fn new() -> Self {
        Self::with_engine(MemorySettings {
            lag: LagPolicy::default(),
            keep_event_ids: false,
            epoch: None,
            tail: None,
            #[cfg(test)]
            foreign: None,
            #[cfg(test)]
            past: None,
            #[cfg(feature = "sealed")]
            seal_key: None,
        })
    }

    /// The key in the outer log after which the hub begins; see `foreign.rs`.
    #[cfg(test)]
    pub(super) fn foreign(&mut self) -> &mut Option<u128> {
        &mut self.engine.foreign
    }

    /// The source of events older than the ring.
    #[cfg(test)]
    pub(super) fn past(mut self, past: std::sync::Arc<dyn super::outer::Past>) -> Self {
        self.engine.past = Some(past);
        self
    }

    /// The tail that an earlier life of the hub left; see `tail/beginning.rs` for the setting.
    pub(super) fn begin_with(mut self, tail: Tail) -> Self {
        self.engine.epoch = Some(tail.epoch());
        self.engine.tail = Some(tail);
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
    /// body.frame().await; // its place
    /// (0..5).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
    /// let gap = body.frame().await.unwrap().unwrap().into_data().unwrap();
    /// assert_eq!(gap, "event: gap\nid: 10-5\ndata: {}\n\n");
    /// # }).unwrap();
    /// ```
    pub fn lag(mut self, lag: LagPolicy) -> Self {
        self.engine.lag = lag;
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
        self.engine.keep_event_ids = true;
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
        self.engine.epoch = Some(epoch);
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
        self.engine.seal_key = Some(key.into());
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
        let (memory, rules, mut settings) = self.into_parts();
        let epoch = memory.epoch.unwrap_or_else(Epoch::random_number);
        #[cfg(feature = "sealed")]
        let epoch = match memory.seal_key {
            Some(key) => Epoch::sealed(epoch, key),
            None => Epoch::new(epoch),
        };
        #[cfg(not(feature = "sealed"))]
        let epoch = Epoch::new(epoch);
        settings.keep_event_ids = memory.keep_event_ids;
        let mut state = State::new(rules, memory.lag);
        if let Some(tail) = memory.tail {
            tail.begin(&mut state, &epoch, memory.keep_event_ids);
        }
        #[cfg(test)]
        {
            settings.foreign = memory.past.is_some();
            settings.past = memory.past;
            if let Some(key) = memory.foreign {
                settings.foreign = true;
                state.begin_after(key);
            }
        }
        let shared = Arc::new(Shared::new(state, epoch, settings));
        Hub::on(Memory, shared, None)
    }
}
