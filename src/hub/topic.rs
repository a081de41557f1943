use super::Hub;
use super::core::{Draft, Survey};
use super::topic_stats::TopicStats;
use super::watch::Watch;
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
        let shared = self.hub.shared();
        shared.publish(self.name, event.borrow(), true, |draft| draft)
    }

    /// Publishes an event that replaces the one before it with the same key: the latest price of each
    /// share, the position of each player.
    ///
    /// The replaced event is taken out of the history, and that is not a loss: clients that come,
    /// resume or lag get each key's latest event and no more. Subscribers that keep up get them all.
    /// The event has an ID of the hub's, whatever [`keep_event_ids`](super::HubBuilder::keep_event_ids)
    /// says. A key is one within its topic.
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
        // An own ID would be forgotten with the event.
        let label = |draft: Draft| draft.with_key(key.clone());
        shared.publish(self.name, event.borrow(), false, label)
    }

    /// Finishes the topic, with a last event or `None`: a run that is over. Gives the ID of its end.
    ///
    /// Subscribers get what is pending, and then their streams end, once all topics that they follow
    /// are finished; those that follow a prefix stay. Clients that come later are replayed what is
    /// retained of such topics, from the oldest event unless the handler says otherwise, and clients that
    /// resume the rest; then their streams end too. Where there is nothing to replay, as for a client
    /// that has seen the end, it is refused: [`Refused::is_finished`], which is answered 204, after
    /// which a browser does not reconnect.
    ///
    /// The end is known as long as the topic retains an event. A topic that retains none, since nothing
    /// was published or all of it has gone, is not known to be finished: finish with a last event.
    ///
    /// Publishing to the topic again begins its next run, for new subscribers and for those that are
    /// still there because of other topics. Finishing a finished topic does nothing.
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

    /// Tells of each follower of this topic that comes or leaves from now on; see [`Watch`]. The topic
    /// need not be there.
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
        Watch::new(self.hub, Some(self.name))
    }

    /// What the topic holds and who follows it. All is zero for a topic that is not there, and asking
    /// does not make it.
    ///
    /// For the lag, this looks at each of the hub's subscribers, unless nobody follows the topic or it
    /// retains nothing. Publishers and subscribers have the lock after every 1,024 of them.
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
        let (shared, mut survey) = (self.hub.shared(), Survey::new());
        loop {
            let mut state = shared.lock();
            if let Some(lag) = state.survey(self.name, &mut survey) {
                // As of the same moment: nobody is behind more than there is.
                let stats = state.topic_stats(self.name);
                return TopicStats { lag, ..stats };
            }
        }
    }
}
