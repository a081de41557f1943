use std::fmt;

use super::Hub;
use super::core::{Draft, Survey};
use super::memory::Memory;
use super::topic_stats::TopicStats;
use super::watch::Watch;
use crate::protocol::{Event, EventId};

/// A topic of a hub, to publish to: [`Hub::topic`].
///
/// A topic exists while it has a follower or the hub retains one of its events. Creating and
/// dropping this value is free.
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
#[must_use = "a topic does nothing until something is published"]
pub struct Topic<'a, L = Memory> {
    hub: &'a Hub<L>,
    name: &'a str,
}

impl<'a, L> Topic<'a, L> {
    pub(super) fn new(hub: &'a Hub<L>, name: &'a str) -> Self {
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
}

impl Topic<'_> {
    /// Publishes an event; see [`Hub::publish`].
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::builder().epoch(36).build();
    /// assert_eq!(hub.topic("match/7").publish(Event::new("goal")).as_str(), "10-1");
    /// ```
    pub fn publish(&self, event: impl std::borrow::Borrow<Event>) -> EventId {
        let shared = self.hub.shared();
        shared.publish(self.name, event.borrow(), true, |draft| draft)
    }

    /// Publishes an event that replaces the previous event with the same key: the latest price of
    /// each share, the position of each player.
    ///
    /// The replaced event is removed from the history without counting as a loss: clients that
    /// connect, resume or lag get only each key's latest event. Subscribers that keep up get every
    /// event. The event gets one of the hub's IDs, even with
    /// [`keep_event_ids`](super::HubBuilder::keep_event_ids). Keys of different topics are
    /// independent.
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// use http_body_util::BodyExt;
    /// use tower_sse::Event;
    /// use tower_sse::hub::{Hub, Start};
    ///
    /// let hub = Hub::builder().epoch(36).build();
    /// for (key, price) in [("EUR", 1.08), ("CHF", 1.12), ("EUR", 1.09)] {
    ///     let event = Event::new(format!("{key} {price}"));
    ///     hub.topic("prices").publish_latest(key, event);
    /// }
    /// let body = hub.subscriber().topic("prices").start(Start::Oldest).subscribe()?;
    /// hub.close();
    /// assert_eq!(
    ///     body.collect().now_or_never().unwrap().unwrap().to_bytes(),
    ///     "id: 10-1\n\nid: 10-2\ndata: CHF 1.12\n\nid: 10-3\ndata: EUR 1.09\n\n",
    /// );
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn publish_latest(
        &self,
        key: impl Into<std::sync::Arc<str>>,
        event: impl std::borrow::Borrow<Event>,
    ) -> EventId {
        let key = key.into();
        let shared = self.hub.shared();
        // An ID of the event's own would be forgotten together with the event.
        let label = |draft: Draft| draft.with_key(key.clone());
        shared.publish(self.name, event.borrow(), false, label)
    }

    /// Finishes the topic, as when a run is over, with a last event or `None`. Returns the ID of
    /// its end.
    ///
    /// Subscribers get what is pending. The stream of a subscriber ends once all topics that it
    /// follows are finished, unless it follows a prefix. Clients that arrive later are sent what
    /// the topic retains, from the oldest event unless the handler says otherwise, and clients that
    /// resume are sent the rest; then their streams end too. A client with nothing to replay, such
    /// as one that has seen the end, is refused ([`Refused::is_finished`]) and answered 204, after
    /// which a browser does not reconnect.
    ///
    /// The end is known as long as the topic retains an event. A topic that retains none, because
    /// nothing was published or everything was evicted, is not known to be finished. To avoid this,
    /// finish with a last event.
    ///
    /// Publishing to the topic again begins its next run, for new subscribers and for subscribers
    /// that remain because of other topics. Finishing a finished topic does nothing.
    ///
    /// [`Refused::is_finished`]: super::Refused::is_finished
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// use http_body_util::BodyExt;
    /// use tower_sse::Event;
    /// use tower_sse::hub::Hub;
    ///
    /// let hub = Hub::builder().epoch(36).build();
    /// let run = hub.topic("run/7");
    /// run.publish(Event::new("Once upon"));
    /// run.publish(Event::new(" a time"));
    /// let end = run.finish(Event::new("[DONE]"));
    ///
    /// let late = hub.subscriber().topic("run/7").subscribe()?;
    /// assert_eq!(
    ///     late.collect().now_or_never().unwrap().unwrap().to_bytes(),
    ///     "id: 10-0\n\nid: 10-1\ndata: Once upon\n\nid: 10-2\ndata:  a time\n\n\
    ///      id: 10-3\ndata: [DONE]\n\n",
    /// );
    /// let again = hub.subscriber().topic("run/7").after(end).subscribe();
    /// assert!(again.unwrap_err().is_finished());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn finish(&self, farewell: impl Into<Option<Event>>) -> EventId {
        let shared = self.hub.shared();
        match farewell.into() {
            Some(farewell) => shared.publish(self.name, &farewell, true, Draft::last),
            None => shared.finish(self.name),
        }
    }

    /// Sends an event to the topic's current subscribers only; see [`Hub::publish_transient`].
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

    /// Reports each follower that joins or leaves this topic from now on; see [`Watch`]. The topic
    /// need not exist.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let mut watch = hub.topic("match/7").watch();
    /// let _other = hub.subscriber().topic("match/8").subscribe()?;
    /// assert!(watch.next().now_or_never().is_none());
    /// let _one = hub.subscriber().topic("match/7").subscribe()?;
    /// assert!(watch.next().now_or_never().unwrap().unwrap().unwrap().is_first());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn watch(&self) -> Watch {
        Watch::new(self.hub.shared(), Some(self.name))
    }

    /// Returns counts of what the topic holds and of its followers. All are zero for a topic that
    /// does not exist, and asking does not create it.
    ///
    /// To compute the lag, this visits each of the hub's subscribers, unless the topic has no
    /// followers or retains nothing. It releases the lock to publishers and subscribers after every
    /// 1,024 of them.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.topic("match/7").publish(Event::new("goal"));
    /// assert_eq!(hub.topic("match/7").stats().retained, 1);
    /// assert_eq!(hub.topic("match/8").stats(), Default::default());
    /// assert_eq!(hub.stats().topics, 1);
    /// ```
    #[must_use]
    pub fn stats(&self) -> TopicStats {
        self.stats_here()
    }
}

impl<'a, L> Topic<'a, L> {
    #[cfg(all(feature = "redis", not(target_family = "wasm")))]
    pub(super) fn into_parts(self) -> (&'a Hub<L>, &'a str) {
        (self.hub, self.name)
    }

    pub(super) fn stats_here(&self) -> TopicStats {
        let (shared, mut survey) = (self.hub.shared(), Survey::new());
        loop {
            let mut state = shared.lock();
            if let Some(lag) = state.survey(self.name, &mut survey) {
                // Taken under the same lock, so that no lag exceeds the number of retained events.
                let stats = state.topic_stats(self.name);
                return TopicStats { lag, ..stats };
            }
        }
    }
}

impl<L> Clone for Topic<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Topic<'_, L> {}

impl<L> fmt::Debug for Topic<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic")
            .field("hub", self.hub)
            .field("name", &self.name)
            .finish()
    }
}
